import { chmod, cp, mkdir, rename, stat, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { AppError } from '../errors.ts'

/** A data directory that this process alone uses. */
export interface DataDirectory {
  /** Where PGlite keeps its files. */
  readonly databasePath: string
  /** There is a whole database in it; otherwise it is to be made. */
  readonly isWhole: boolean
  /** Notes that the database in it has been made and can be used again. */
  markWhole(): Promise<void>
  /** Lets another process have it. The kernel does the same when the process dies. */
  release(): void
}

interface Holder {
  readonly pid: number
  readonly host: string
  readonly since: string
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

// Who holds the lock stands in a second database, since nobody can read one that is locked exclusively.
function readHolder(directory: string): string {
  try {
    const notes = new DatabaseSync(join(directory, 'holder.db'), { readOnly: true })
    try {
      const row = notes.prepare('SELECT pid, host, since FROM holder').get() as unknown as Holder | undefined
      return row ? `process ${row.pid} on ${row.host} since ${row.since}` : 'another process'
    } finally {
      notes.close()
    }
  } catch {
    return 'another process'
  }
}

function writeHolder(directory: string): void {
  const notes = new DatabaseSync(join(directory, 'holder.db'))
  try {
    notes.exec('CREATE TABLE IF NOT EXISTS holder (pid INTEGER, host TEXT, since TEXT)')
    notes.exec('DELETE FROM holder')
    notes
      .prepare('INSERT INTO holder VALUES (?, ?, ?)')
      .run(process.pid, hostname(), new Date().toISOString().slice(0, 19) + 'Z')
  } finally {
    notes.close()
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (error.errcode === 5 || error.errcode === 6)
}

/** Takes the lock, or throws `unavailable` naming who has it. It is the kernel's, so it dies with the process. */
function lock(directory: string): DatabaseSync {
  const held = new DatabaseSync(join(directory, 'lock.db'), { timeout: 0 })
  try {
    held.exec('BEGIN EXCLUSIVE')
    writeHolder(directory)
    return held
  } catch (error) {
    held.close()
    if (!isBusy(error)) throw error
    throw new AppError('unavailable', `The data directory is already used by ${readHolder(directory)}.`)
  }
}

async function setAside(path: string): Promise<void> {
  const name = `${path}-incomplete-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`
  await rename(path, name)
}

/**
 * Opens the data directory for this process, making it when it is missing. A database that a killed first start left
 * half made is set aside. Throws `unavailable` when another process uses it, else the file system's error.
 */
export async function openDataDirectory(directory: string): Promise<DataDirectory> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const held = lock(directory)
  const databasePath = join(directory, 'pgdata')
  const marker = join(directory, 'pgdata.whole')
  try {
    const isWhole = (await exists(marker)) && (await exists(databasePath))
    if (!isWhole && (await exists(databasePath))) await setAside(databasePath)
    return {
      databasePath,
      isWhole,
      markWhole: async () => {
        await chmod(databasePath, 0o700)
        await writeFile(marker, '')
      },
      release: () => held.close(),
    }
  } catch (error) {
    held.close()
    throw error
  }
}

/** Fills a directory that has no database yet from a prepared one, if there is such; else it stays as it is. */
export async function restorePrepared(directory: DataDirectory, prepared: string | undefined): Promise<void> {
  if (directory.isWhole || prepared === undefined || !(await exists(prepared))) return
  try {
    await cp(prepared, directory.databasePath, { recursive: true })
  } catch (error) {
    await setAside(directory.databasePath).catch(() => undefined)
    throw error
  }
}
