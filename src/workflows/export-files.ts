import type { RejectedArtifact } from '../agents/agent.ts'
import { checkArtifactPath, foldedPath, printablePath } from '../agents/artifact-path.ts'

/** Files as they may stand in one folder, and those that may not. */
export interface ExportPlan<File> {
  readonly files: readonly File[]
  readonly leftOut: readonly RejectedArtifact[]
}

/** Where an export says what it leaves out: in the folder that no artifact may be in. */
export const leftOutPath = '.workflow/left-out.json'

/** What stands in that file. */
export function leftOutFile(leftOut: readonly RejectedArtifact[]): Buffer {
  return Buffer.from(`${JSON.stringify(leftOut, null, 2)}\n`)
}

/**
 * Judges once more what leaves the database as files: steps do not know of each other, so one may have made a folder of
 * what is another's file, or a name that differs in upper and lower case only (the newer one stays). `madeAt`: any order.
 */
export function planExport<File extends { readonly path: string }>(
  files: readonly File[],
  madeAt: (file: File) => number,
): ExportPlan<File> {
  const leftOut: RejectedArtifact[] = []
  const kept = new Map<string, File>()
  for (const file of files.toSorted((a, b) => madeAt(b) - madeAt(a))) {
    const reason = reasonAgainst(file.path) ?? twinOf(kept, file.path)
    if (reason === undefined) kept.set(foldedPath(file.path), file)
    else leftOut.push({ path: printablePath(file.path), reason })
  }
  for (const key of foldersOf([...kept.keys()])) {
    const file = kept.get(key)
    if (file === undefined) continue
    kept.delete(key)
    leftOut.push({ path: file.path, reason: 'the path is the folder of another file' })
  }
  const stays = new Set(kept.values())
  return { files: files.filter((file) => stays.has(file)), leftOut }
}

function reasonAgainst(path: string): string | undefined {
  const checked = checkArtifactPath(path)
  if ('reason' in checked) return checked.reason
  return checked.path === path ? undefined : 'the path is not in its usual form'
}

function twinOf(kept: ReadonlyMap<string, { readonly path: string }>, path: string): string | undefined {
  const twin = kept.get(foldedPath(path))
  return twin === undefined ? undefined : `only upper and lower case tell it from ${printablePath(twin.path)}`
}

function foldersOf(paths: readonly string[]): ReadonlySet<string> {
  const parts = paths.map((path) => path.split('/'))
  return new Set(parts.flatMap((path) => path.slice(1).map((_, depth) => path.slice(0, depth + 1).join('/'))))
}
