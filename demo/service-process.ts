import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/** What the service is started with. */
export interface ServiceProcessOptions {
  /** Temporary directory: database, log, and the working directory, so that no configuration of the user applies. */
  readonly directory: string
  readonly llm: { readonly url: string; readonly model: string | null }
  /** Environment of the demo, from which the service inherits only what it needs. */
  readonly env: NodeJS.ProcessEnv
  /** The user's own model server: its key and the `LLM_*` settings are passed on. */
  readonly realModel: boolean
  readonly main?: string
  readonly readyTimeoutMs?: number
  /** Gives up waiting for it. */
  readonly signal?: AbortSignal
}

/** The service, running as a child. */
export interface ServiceProcess {
  readonly baseUrl: string
  readonly logFile: string
  /** SIGTERM, then SIGKILL after the grace. Resolves when it is gone. */
  close(): Promise<void>
  /** SIGKILL, for the moment in which this process ends too. */
  kill(): void
}

const MAIN = join(import.meta.dirname, '..', 'src', 'main.ts')
const READY_TIMEOUT_MS = 30_000
const STOP_TIMEOUT_MS = 5_000
const LOG_TAIL_LINES = 20
const INHERITED = /^(PATH|HOME|TMPDIR|TEMP|TMP|SystemRoot|LANG|LC_.*|TZ|NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR))$/
const INHERITED_WITH_MODEL = /^(OPENAI_API_KEY(_FILE)?|OPENAI_TEMPERATURE|OPENAI_MAX_TOKENS|LLM_.*|TASK_TIMEOUT)$/

/** Starts the service on a free port and waits until `/readyz` says so. Throws with the tail of the log. */
export async function startService(options: ServiceProcessOptions): Promise<ServiceProcess> {
  const port = await findFreePort()
  const logFile = join(options.directory, 'service.log')
  const child = spawnService(options, port, logFile)
  const service = describeProcess(child, `http://127.0.0.1:${port}`, logFile)
  try {
    await waitUntilReady(child, service.baseUrl, options)
  } catch (error) {
    service.kill()
    options.signal?.throwIfAborted()
    throw new Error(
      `${error instanceof Error ? error.message : String(error)} The end of its log:\n${await readLogTail(logFile)}`,
      { cause: error },
    )
  }
  return service
}

/** The last lines of a log, or a word on why there are none. */
async function readLogTail(logFile: string): Promise<string> {
  const text = await readFile(logFile, 'utf8').catch(() => '')
  return text.trim() === '' ? '(the log is empty)' : text.trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n')
}

function spawnService(options: ServiceProcessOptions, port: number, logFile: string): ChildProcess {
  const log = openSync(logFile, 'a')
  try {
    return spawn(process.execPath, [options.main ?? MAIN], {
      cwd: options.directory,
      env: serviceEnvironment(options, port),
      stdio: ['ignore', log, log],
      // Its own process group: Ctrl-C reaches only the demo, which then cancels before it stops the service.
      detached: true,
    })
  } finally {
    closeSync(log)
  }
}

function serviceEnvironment(
  { directory, llm, env, realModel }: ServiceProcessOptions,
  port: number,
): NodeJS.ProcessEnv {
  const inherited = Object.entries(env).filter(
    ([name]) => INHERITED.test(name) || (realModel && INHERITED_WITH_MODEL.test(name)),
  )
  return {
    ...Object.fromEntries(inherited),
    HOST: '127.0.0.1',
    PORT: String(port),
    OPENAI_API_BASE: llm.url,
    OPENAI_API_MODEL: llm.model ?? '',
    DATA_DIRECTORY: join(directory, 'data'),
    LOG_FILE: '',
    METRICS_SNAPSHOT_FILE: '',
    LOG_LEVEL: 'INFO',
    SHUTDOWN_GRACE_SECONDS: '1',
  }
}

function describeProcess(child: ChildProcess, baseUrl: string, logFile: string): ServiceProcess {
  const isGone = () => child.exitCode !== null || child.signalCode !== null || child.pid === undefined
  return {
    baseUrl,
    logFile,
    async close() {
      if (isGone()) return
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
      await exited
      clearTimeout(timer)
    },
    kill() {
      if (!isGone()) child.kill('SIGKILL')
    },
  }
}

async function waitUntilReady(child: ChildProcess, baseUrl: string, options: ServiceProcessOptions): Promise<void> {
  const timeoutMs = options.readyTimeoutMs ?? READY_TIMEOUT_MS
  let ended: string | null = null
  child.once('error', (error) => (ended = `The service could not be started: ${error.message}.`))
  child.once('exit', (code, signal) => (ended = `The service ended while starting (${signal ?? `exit code ${code}`}).`))
  const deadline = performance.now() + timeoutMs
  while (performance.now() < deadline) {
    options.signal?.throwIfAborted()
    if (ended !== null) throw new Error(ended)
    const ready = await fetch(`${baseUrl}/readyz`, { signal: AbortSignal.timeout(2_000) }).then(
      (response) => response.ok,
      () => false,
    )
    if (ready) return
    await delay(50)
  }
  throw new Error(`The service was not ready after ${timeoutMs / 1_000} s.`)
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('No free port was found.')
  return address.port
}
