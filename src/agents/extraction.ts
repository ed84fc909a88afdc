import type { Artifact, ExtractedArtifacts, RejectedArtifact } from './agent.ts'
import { checkArtifactPath, foldedPath, printablePath } from './artifact-path.ts'
import { pathInInfo, pathOfBlock } from './block-path.ts'
import { createFenceParser, type FencedBlock } from './fenced-blocks.ts'
import { mediaType } from './media-type.ts'

const MAX_PARSED_LENGTH = 8 * 1024 * 1024
const MAX_PARSED_LINES = 200_000
const MAX_REJECTED = 100
const LONGEST_USUAL_FENCE = 20

/** Limits on what is taken from one answer. */
export interface ExtractionLimits {
  /** Of one file, as UTF-8. */
  readonly maxArtifactBytes: number
  readonly maxArtifactsPerStep: number
}

/** Reads the files out of answers. */
export interface Extractor {
  /** The files of an answer; of an incomplete one the open file is left out and listed as rejected. */
  readonly extract: (text: string, options: { readonly complete: boolean }) => ExtractedArtifacts
  /** The text with every block that is one of the files put down to a line that names it. */
  readonly withoutFiles: (text: string, paths: ReadonlySet<string>) => string
  /** The block that is still open at the end of a text. */
  readonly openBlock: (text: string) => FencedBlock | null
}

/** An extractor with its own parser. It costs time in proportion to the text, whatever stands in it. */
export function createExtractor(limits: ExtractionLimits): Extractor {
  const parse = createFenceParser()
  return {
    extract(text, { complete }) {
      const readable = readablePart(text)
      const found = createCollection(limits)
      for (const block of parse(readable)) collect(block, found, complete)
      if (readable.length < text.length)
        found.reject('(rest of the answer)', 'the answer is too long to look for files')
      return found.result()
    },
    withoutFiles(text, paths) {
      return replaceBlocks(text, parse(readablePart(text)), paths)
    },
    openBlock(text) {
      const last = parse(readablePart(text)).at(-1)
      return last === undefined || last.closed ? null : last
    },
  }
}

/** Hostile text can be slow to parse line by line, so both length and lines are bounded. */
function readablePart(text: string): string {
  let end = 0
  for (let lines = 0; lines < MAX_PARSED_LINES && end < MAX_PARSED_LENGTH; lines += 1) {
    const next = text.indexOf('\n', end)
    if (next === -1) return text.slice(0, MAX_PARSED_LENGTH)
    end = next + 1
  }
  return text.slice(0, Math.min(end, MAX_PARSED_LENGTH))
}

type Collection = ReturnType<typeof createCollection>

function collect(block: FencedBlock, found: Collection, complete: boolean): void {
  const written = pathOfBlock(block)
  if (written !== null) {
    if (block.closed) found.add(written, block.content)
    else found.reject(written, complete ? 'the block is not closed' : 'the answer stopped in the middle of this file')
  }
  for (const path of swallowedFiles(block)) found.reject(path, 'the block before it is not closed')
}

/** Files whose opening fence became content, because a block before was not closed: they are lost, but not silently. */
function swallowedFiles(block: FencedBlock): readonly string[] {
  const marker = block.fence.startsWith('~') ? '~' : '`'
  if (block.fence.length > LONGEST_USUAL_FENCE || !block.content.includes(block.fence)) return []
  const opening = new RegExp(`^ {0,3}${marker}{${block.fence.length},}([^\`\\n]+)$`, 'gm')
  return Array.from(block.content.matchAll(opening), ([, info = '']) => pathInInfo(info.trim())).filter(
    (path) => path !== null,
  )
}

function createCollection(limits: ExtractionLimits) {
  const files = new Map<string, Artifact>()
  const rejected: RejectedArtifact[] = []
  let unlisted = 0
  const reject = (path: string, reason: string): void => {
    if (rejected.length < MAX_REJECTED) rejected.push({ path: printablePath(path), reason })
    else unlisted += 1
  }
  const replaceTwin = (key: string, path: string): void => {
    const twin = files.get(key)
    if (twin !== undefined && twin.path !== path)
      reject(twin.path, `only upper and lower case tell it from ${printablePath(path)}`)
  }
  return {
    reject,
    add(written: string, content: string): void {
      const checked = checkArtifactPath(written)
      if ('reason' in checked) return reject(written, checked.reason)
      if (Buffer.byteLength(content) > limits.maxArtifactBytes)
        return reject(checked.path, `the file is larger than ${limits.maxArtifactBytes} bytes`)
      const key = foldedPath(checked.path)
      if (!files.has(key) && files.size >= limits.maxArtifactsPerStep)
        return reject(checked.path, `the answer holds more than ${limits.maxArtifactsPerStep} files`)
      replaceTwin(key, checked.path)
      files.set(key, { path: checked.path, content, mediaType: mediaType(checked.path) })
    },
    result(): ExtractedArtifacts {
      const folders = foldersOf(files.keys())
      for (const [key, { path }] of files) {
        if (!folders.has(key)) continue
        files.delete(key)
        reject(path, 'the path is the folder of another file')
      }
      if (unlisted > 0) rejected.push({ path: '(others)', reason: `${unlisted} more files were refused` })
      return { artifacts: [...files.values()], rejected }
    },
  }
}

function foldersOf(paths: Iterable<string>): ReadonlySet<string> {
  const folders = new Set<string>()
  for (const path of paths) {
    for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1))
      folders.add(path.slice(0, slash))
  }
  return folders
}

function replaceBlocks(text: string, blocks: readonly FencedBlock[], paths: ReadonlySet<string>): string {
  const files = blocks.flatMap((block) => {
    const path = block.closed ? checkedPathOf(block) : null
    return path !== null && paths.has(path) ? [{ path, lines: block.lines }] : []
  })
  if (files.length === 0) return text
  const lines = text.split(/\r\n?|\n/)
  const kept: string[] = []
  let next = 0
  for (const file of files) {
    kept.push(lines.slice(next, file.lines[0]).join('\n'), `[The file ${file.path}, given separately]`)
    next = file.lines[1]
  }
  return [...kept, lines.slice(next).join('\n')].join('\n')
}

function checkedPathOf(block: FencedBlock): string | null {
  const written = pathOfBlock(block)
  const checked = written === null ? null : checkArtifactPath(written)
  return checked !== null && 'path' in checked ? checked.path : null
}
