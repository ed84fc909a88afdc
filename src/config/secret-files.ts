import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { addText } from './read-text.ts'
import {
  addComposite,
  addReading,
  dotted,
  faultOf,
  openReading,
  reject,
  type Entry,
  type OpenReading,
  type Position,
  type Reading,
} from './reading.ts'
import { secretOfFile, settingAt } from './setting-path.ts'

/**
 * Puts the secret in the place of every entry that names a file with one, also inside of lists. White space around it is
 * dropped. Relative paths start at `directory`. A source that gives both the secret and its file is at fault.
 */
export function readSecretFiles(source: Reading, directory: string): Reading {
  const reading = openReading()
  addReading(reading, { ...source, entries: [] })
  for (const entry of source.entries) {
    const secret = secretOfFile(entry.path)
    if (secret !== undefined) readSecret(reading, { ...entry, path: secret }, { source, directory })
    else if (entry.parts === undefined) reading.entries.push(entry)
    else addComposite(reading, positionOf(entry), readSecretFiles({ ...NO_WORDS, ...entry.parts }, directory))
  }
  return reading
}

const NO_WORDS = { faults: [], warnings: [] }

function readSecret(
  reading: OpenReading,
  entry: Entry,
  { source, directory }: { readonly source: Reading; readonly directory: string },
): void {
  const direct = source.entries.find(({ path }) => dotted(path) === dotted(entry.path))
  if (direct !== undefined) {
    return reject(reading, entry, `is set besides ${direct.subject || direct.place}; set one of them`)
  }
  const text = readText(reading, entry, directory)
  if (text === undefined) return
  if (text === '') {
    const { place, detail } = faultOf(entry, 'names an empty file, which counts as unset')
    reading.warnings.push(`${place}: ${detail}`)
    return
  }
  const read = openReading()
  addText(read, { ...positionOf(entry), value: text }, settingAt(entry.path) ?? {})
  addReading(reading, readSecretFiles(read, directory))
}

function readText(reading: OpenReading, entry: Entry, directory: string): string | undefined {
  try {
    return readFileSync(resolve(directory, String(entry.value)), 'utf8').trim()
  } catch (error) {
    reject(reading, entry, `names a file that cannot be read (${codeOf(error)})`)
    return undefined
  }
}

function positionOf({ path, place, subject }: Entry): Position {
  return { path, place, subject }
}

/** The system's code of a failed file operation: `ENOENT`. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
}
