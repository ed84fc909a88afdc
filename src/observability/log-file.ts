import { fstatSync, mkdirSync, openSync, statSync } from 'node:fs'
import type { Stats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { dayOf, setAside, tidyArchives } from './log-archive.ts'
import { createDescriptorOutput } from './log-output.ts'
import type { LogOutput, OutputObserver } from './log-output.ts'

export interface LogFileOptions {
  /** Days that archives are kept; 0: somebody else rotates the file. */
  readonly keepDays: number
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** How often the file is looked at, in milliseconds. */
  readonly checkEveryMs: number
  readonly observer: LogFileObserver
}

/** Told of what goes wrong with the file, once each time that it begins to. */
export interface LogFileObserver extends OutputObserver {
  /** It could not be set aside, or what is past could not be compressed or deleted. */
  rotationFailed(reason: string): void
}

/** A log file, appended to. */
export interface LogFile extends LogOutput {
  /** Looks at once whether it is still the one under its name, and opens that. */
  reopen(): void
}

interface Opened {
  readonly output: LogOutput
  readonly fd: number
  readonly ino: number
}

/**
 * Appends to a file, mode 0640, its directory made. The first line of a day (UTC) begins a new one; a file of an earlier
 * day that is found at the start is set aside too, an empty one never is. Several processes may share it. Throws when it
 * cannot be opened; what fails later is told, and never thrown.
 */
export function openLogFile(file: string, options: LogFileOptions): LogFile {
  const { now, keepDays, checkEveryMs, observer } = options
  const rotation = createRotation(file, options)
  rotation.start()
  const leaving = new Set<Promise<void>>()
  let opened = open(file, observer)
  let day = dayOf(now())
  let lastDay = day
  let isGone = false
  let checking: Promise<void> | null = null

  const lose = (reason: string): void => {
    if (!isGone) observer.failed(reason)
    isGone = true
  }
  const openAgain = (): void => {
    try {
      if (fstatSync(opened.fd).nlink === 0) lose('it was deleted')
      const next = open(file, observer)
      const left = opened.output.close().finally(() => leaving.delete(left))
      leaving.add(left)
      opened = next
      if (isGone) observer.recovered(null)
      isGone = false
    } catch (error) {
      lose(reasonOf(error))
    }
  }
  const beginDay = (today: string): void => {
    lastDay = day
    day = today
    rotation.endDay(lastDay, opened.ino)
    if (inodeOf(file) !== opened.ino) openAgain()
  }
  const check = async (): Promise<void> => {
    const today = dayOf(now())
    if (today !== day) beginDay(today)
    const found = await stat(file).catch(() => null)
    if (found?.ino === opened.ino && found.nlink > 1) rotation.finish(lastDay, opened.ino)
    if (found?.ino !== opened.ino) openAgain()
    if (keepDays > 0 && !isGone) await rotation.tidy()
    checking = null
  }
  const look = (): void => void (checking ??= check())
  const timer = setInterval(look, checkEveryMs).unref()

  return {
    write: (line) => {
      const today = dayOf(now())
      if (today !== day) beginDay(today)
      opened.output.write(line)
    },
    reopen: look,
    flush: async () => void (await Promise.all([opened.output.flush(), ...leaving])),
    close: async () => {
      clearInterval(timer)
      await Promise.all([opened.output.close(), ...leaving])
    },
  }
}

function open(file: string, observer: OutputObserver): Opened {
  mkdirSync(dirname(file), { recursive: true })
  const fd = openSync(file, 'a', 0o640)
  return { output: createDescriptorOutput(fd, observer), fd, ino: fstatSync(fd).ino }
}

interface Rotation {
  /** Sets aside what an earlier day has left. */
  start(): void
  /** Sets the file aside, unless it is empty or no longer the one with this number. */
  endDay(day: string, ino: number): void
  /** Sets the file aside if it has the name of the day already, and nobody else has taken its old one from it. */
  finish(day: string, ino: number): void
  /** Compresses and deletes, once a day and until it has worked. */
  tidy(): Promise<void>
}

function createRotation(file: string, { now, keepDays, observer }: LogFileOptions): Rotation {
  let tidiedOn: string | null = null
  let failing = false
  const tell = (error: unknown): void => {
    if (!failing) observer.rotationFailed(reasonOf(error))
    failing = true
  }
  const attempt = (act: (found: Stats) => void): void => {
    if (keepDays === 0) return
    try {
      const found = statOf(file)
      if (found?.isFile() === true && found.size > 0) act(found)
    } catch (error) {
      // When it is not there any more, another process was faster.
      if (reasonOf(error) !== 'ENOENT') tell(error)
    }
  }
  return {
    start: () =>
      attempt(({ ino, mtimeMs }) => {
        const day = dayOf(mtimeMs)
        if (day < dayOf(now())) setAside(file, { ino, day, finish: true })
      }),
    endDay: (day, ino) =>
      attempt((found) => {
        if (found.ino === ino) setAside(file, { ino, day, finish: false })
      }),
    finish: (day, ino) =>
      attempt(() => {
        if (inodeOf(`${file}.${day}`) === ino) setAside(file, { ino, day, finish: true })
      }),
    tidy: async () => {
      const today = dayOf(now())
      if (today === tidiedOn) return
      try {
        await tidyArchives(file, { now: now(), keepDays })
        tidiedOn = today
        failing = false
      } catch (error) {
        tell(error)
      }
    },
  }
}

function inodeOf(file: string): number | null {
  return statOf(file)?.ino ?? null
}

/** null: it is not there, or nobody can tell; who opens it says why. */
function statOf(file: string): Stats | null {
  try {
    return statSync(file)
  } catch {
    return null
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code: unknown = Reflect.get(error, 'code')
  return typeof code === 'string' ? code : error.message
}
