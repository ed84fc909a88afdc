import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'

/** Variables of a process; null: not even its default. */
export type Environment = Readonly<Record<string, string | null>>

/** How the process is started. */
export interface ServiceProcessOptions {
  /** Its working directory; the embedded database is in `data` below it, and no configuration of the project applies. */
  readonly directory: string
  /** Besides what it always gets, which null takes away; nothing else of the test's own environment reaches it. */
  readonly env?: Environment
  readonly args?: readonly string[]
  /** Options of Node itself; default none. */
  readonly nodeOptions?: readonly string[]
  /** Program in the place of the service's own. */
  readonly main?: string
  /** Nobody reads its stdout until it has ended: what it says there cannot be waited for. */
  readonly stdoutStandsStill?: boolean
}

/** One line of the log. */
export interface LogLine {
  readonly level: string
  readonly logger: string
  readonly message: string
  readonly [field: string]: unknown
}

export interface ProcessEnd {
  /** null when a signal ended it. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A process of the service, and what it has said. */
export interface ServiceProcess {
  readonly pid: number
  /** Resolves with its address, as `http://127.0.0.1:1234`, as soon as it listens. Rejects when it ends before. */
  readonly listening: Promise<string>
  /** Resolves when it has gone and everything it said has been read. */
  readonly ended: Promise<ProcessEnd>
  /** Resolves with the milliseconds from the start until `/readyz` answered 200. Rejects when the process ends before. */
  ready(): Promise<number>
  /** Everything on stdout that is JSON. */
  log(): readonly LogLine[]
  stdout(): string
  stderr(): string
  /** Resolves with the first line whose message matches, past or to come. Rejects when the process ends without it. */
  logged(message: RegExp): Promise<LogLine>
  signal(name: NodeJS.Signals): void
  /** SIGKILL; resolves when it has gone. */
  kill(): Promise<void>
}

const mainFile = join(import.meta.dirname, '..', '..', 'src', 'main.ts')
/** Node keeps what it has compiled there, which spares a start a quarter of its time. */
const compileCache = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'multi-agent-service', 'compiled')
const own: Environment = {
  HOST: '127.0.0.1',
  PORT: '0',
  DATA_DIRECTORY: './data',
  LOG_FILE: '',
  METRICS_SNAPSHOT_FILE: '',
  // A loaded machine is no overloaded service.
  OVERLOAD_EVENT_LOOP_DELAY_MS: '0',
  NODE_COMPILE_CACHE: compileCache,
}
const inherited = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'TZ']
const pollMs = 15

/** Starts `node src/main.ts`, or `main`, on a free port of 127.0.0.1. The caller ends it. */
export function startServiceProcess(options: ServiceProcessOptions): ServiceProcess {
  const startedAt = performance.now()
  const child = spawn(
    process.execPath,
    [...(options.nodeOptions ?? []), options.main ?? mainFile, ...(options.args ?? [])],
    {
      cwd: options.directory,
      env: environment(options.env ?? {}),
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  const standsStill = options.stdoutStandsStill === true
  // The last line of what is left in the pipe is a half one.
  const output = collectOutput(child, { hasLog: !standsStill })
  if (standsStill) standStill(child)
  const ended = once(child, 'close').then(([code, signal]) => {
    output.close()
    return { code, signal }
  })
  const listening = output.logged(/ listens on /).then(({ message }) => message.slice(message.indexOf('http')))
  listening.catch(() => undefined)

  return {
    pid: child.pid ?? 0,
    listening,
    ended,
    async ready() {
      const url = await listening
      while (!(await isReady(url))) {
        if (output.isClosed()) throw new Error(`it ended before it was ready:\n${output.stdout()}${output.stderr()}`)
        await delay(pollMs)
      }
      return performance.now() - startedAt
    },
    log: output.log,
    stdout: output.stdout,
    stderr: output.stderr,
    logged: output.logged,
    signal: (name) => void child.kill(name),
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** Its end is told only when all that it said is read. */
function standStill(child: ChildProcess): void {
  child.stdout?.pause()
  child.once('exit', () => child.stdout?.resume())
}

function environment(given: Environment): NodeJS.ProcessEnv {
  const kept = inherited.map((name) => [name, process.env[name] ?? null] as const)
  const all = Object.entries({ ...Object.fromEntries(kept), ...own, ...given })
  return Object.fromEntries(all.filter((entry): entry is [string, string] => entry[1] !== null))
}

async function isReady(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/readyz`, { headers: { connection: 'close' } }).catch(() => null)
  await answer?.body?.cancel()
  return answer?.status === 200
}

interface Waiter {
  readonly message: RegExp
  readonly resolve: (line: LogLine) => void
  readonly reject: (error: Error) => void
}

function collectOutput(child: ChildProcess, { hasLog }: { readonly hasLog: boolean }) {
  const lines: string[] = []
  const log: LogLine[] = []
  const errors: string[] = []
  const waiting = new Set<Waiter>()
  let closed = false
  const stdout = () => lines.map((line) => `${line}\n`).join('')
  const stderr = () => errors.join('')

  const take = (line: string) => {
    lines.push(line)
    if (!hasLog || !line.startsWith('{')) return
    const parsed = JSON.parse(line) as LogLine
    log.push(parsed)
    for (const waiter of waiting) if (waiter.message.test(parsed.message)) settle(waiter, parsed)
  }
  const settle = (waiter: Waiter, line: LogLine) => {
    waiting.delete(waiter)
    waiter.resolve(line)
  }
  if (child.stdout !== null) createInterface({ input: child.stdout }).on('line', take)
  child.stderr?.setEncoding('utf8').on('data', (text: string) => errors.push(text))

  return {
    log: () => log,
    stdout,
    stderr,
    isClosed: () => closed,
    close() {
      closed = true
      for (const { message, reject } of waiting) reject(unsaid(message))
      waiting.clear()
    },
    logged: (message: RegExp) =>
      new Promise<LogLine>((resolve, reject) => {
        const said = log.find((line) => message.test(line.message))
        if (said !== undefined) resolve(said)
        else if (closed) reject(unsaid(message))
        else waiting.add({ message, resolve, reject })
      }),
  }

  function unsaid(message: RegExp): Error {
    return new Error(`it ended without saying ${message}:\n${stdout()}${stderr()}`)
  }
}
