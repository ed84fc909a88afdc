import { createReadStream, createWriteStream, linkSync, renameSync, statSync, unlinkSync } from 'node:fs'
import { readdir, rename, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'

const dayMs = 86_400_000
/** An archive that is being written for so long belongs to a process that has died. */
const abandonedMs = 3_600_000
const mostParts = 100
const noHardLinks: ReadonlySet<unknown> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV'])

/** Day in UTC, as the timestamps of the lines are: `2026-11-23`. */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}

export interface SetAside {
  /** Number of the file that is to be set aside; one that stands in its place already is left alone. */
  readonly ino: number
  readonly day: string
  /** Ends what another process has begun, perhaps one that died over it. */
  readonly finish: boolean
}

/**
 * Gives the log file the name of its day, as `service.log.2026-11-23`, so that the next to open it makes a new one. Of
 * several processes one does it; whoever has the old one open writes on into it, so no line is lost. Throws what the
 * file system throws.
 */
export function setAside(file: string, { ino, day, finish }: SetAside): void {
  for (let part = 0; part < mostParts; part += 1) {
    const name = part === 0 ? `${file}.${day}` : `${file}.${day}.${part}`
    const taken = numberOf(name)
    if (numberOf(file) !== ino || (taken === ino && !finish)) return
    if (taken === ino || (taken === null && claim(file, name))) return detach(file, { ino, day })
  }
}

/** true: the name is the file's. Two names for one file: whoever is second finds the name taken. */
function claim(file: string, name: string): boolean {
  try {
    linkSync(file, name)
    return true
  } catch (error) {
    const code = codeOf(error)
    if (code === 'EEXIST') return false
    if (!noHardLinks.has(code)) throw error
    renameSync(file, name)
    return true
  }
}

/** Takes its old name from the file; a new one that somebody made under it in the meantime gets it back. */
function detach(file: string, { ino, day }: Pick<SetAside, 'ino' | 'day'>): void {
  if (numberOf(file) !== ino) return
  const moved = `${file}.${day}.${process.pid}`
  renameSync(file, moved)
  if (numberOf(moved) !== ino) {
    try {
      linkSync(moved, file)
    } catch {
      // there is yet another one: this one is kept under its name of the day
      return
    }
  }
  unlinkSync(moved)
}

function numberOf(file: string): number | null {
  return statSync(file, { throwIfNoEntry: false })?.ino ?? null
}

function codeOf(error: unknown): unknown {
  return error instanceof Error ? Reflect.get(error, 'code') : undefined
}

/** What is kept of earlier days. */
export interface ArchiveRules {
  /** Today, in milliseconds since the epoch. */
  readonly now: number
  readonly keepDays: number
}

/**
 * Compresses what was set aside before yesterday and deletes what is older than it is kept. Several processes may do it
 * at once. Rejects with the first failure, after it has tried everything.
 */
export async function tidyArchives(file: string, { now, keepDays }: ArchiveRules): Promise<void> {
  const directory = dirname(file)
  const yesterday = dayOf(now - dayMs)
  const oldest = dayOf(now - keepDays * dayMs)
  const failures: unknown[] = []
  for (const name of await readdir(directory)) {
    const { day, isPartial, isPlain } = readName(name, basename(file))
    if (day === null || day >= yesterday) continue
    const path = join(directory, name)
    try {
      if (isPartial) await removeAbandoned(path, now)
      else if (day < oldest) await unlink(path)
      else if (isPlain) await compress(path)
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
}

function readName(name: string, base: string) {
  const rest = name.startsWith(`${base}.`) ? name.slice(base.length + 1) : ''
  const [, day = null, end = ''] = /^(\d{4}-\d\d-\d\d)(?:\.\d+)?(\.gz(?:\.\d+\.partial)?)?$/.exec(rest) ?? []
  return { day, isPartial: end.endsWith('.partial'), isPlain: end === '' }
}

async function removeAbandoned(partial: string, now: number): Promise<void> {
  const { mtimeMs } = await stat(partial)
  if (now - mtimeMs > abandonedMs) await unlink(partial)
}

/** Each process writes a file of its own and gives it the name when it is whole: whoever is second does no harm. */
async function compress(path: string): Promise<void> {
  const partial = `${path}.gz.${process.pid}.partial`
  try {
    await pipeline(createReadStream(path), createGzip(), createWriteStream(partial, { mode: 0o640 }))
    await rename(partial, `${path}.gz`)
    await unlink(path)
  } catch (error) {
    await unlink(partial).catch(() => undefined)
    throw error
  }
}
