import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A process that stores workflows until it is killed. */
export interface StorageProcess {
  readonly pid: number
  /** Ids that it has named as stored. */
  readonly stored: ReadonlySet<string>
  /** Why it could not begin; empty when it could. */
  refusal(): string
  /** Resolves when it has stored several, or has ended. */
  readonly working: Promise<void>
  /** Its exit code, once it and what it has started are gone; null when it was killed. */
  readonly ended: Promise<number | null>
  /** `kill -9`. */
  kill(): Promise<void>
}

interface StorageProcessOptions {
  /** Length of what it stores in each workflow. */
  readonly bytes?: number
  /** Command that starts it, before that of the process itself. */
  readonly through?: readonly string[]
}

/** Starts `storage-process.ts` on a directory or a Postgres. */
export function startStorageProcess(place: string, options: StorageProcessOptions = {}): StorageProcess {
  const { bytes = 0, through = [] } = options
  const script = fileURLToPath(new URL('storage-process.ts', import.meta.url))
  const [command, ...before] = [...through, process.execPath]
  const child = spawn(command ?? '', [...before, script, place, String(bytes)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const closed = once(child, 'close') as Promise<[number | null]>
  const stored = new Set<string>()
  let refusal = ''
  const several = Promise.withResolvers<void>()
  createInterface(child.stdout).on('line', (line) => {
    if (line.startsWith('wf_')) stored.add(line)
    else refusal = line
    if (stored.size === 20) several.resolve()
  })
  const ended = closed.then(([code]) => code)
  return {
    pid: child.pid ?? 0,
    stored,
    refusal: () => refusal,
    working: Promise.race([several.promise, ended.then(() => undefined)]),
    ended,
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
