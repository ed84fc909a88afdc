import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type ServiceProcess, startServiceProcess } from '../../test/support/service-process.ts'
import { pause } from '../pause.ts'
import { residentKb } from '../process-memory.ts'
import { readStartOptions } from '../start-options.ts'

/** How it is started. */
export interface StartPlan {
  readonly directory: string
  /** null: the embedded database, in `directory`. */
  readonly databaseUrl: string | null
  /** null: without Sentry. */
  readonly sentryDsn: string | null
  /** Where Node keeps what it has compiled. */
  readonly compileCache: string
}

/** Times are milliseconds from the start of the process. */
export interface StartSample {
  readonly listeningMs: number
  readonly readyMs: number
  /** What is resident some time after the start. */
  readonly memoryKb: number
}

const restMs = 1_500
const limitMs = 30_000

/** Starts it, looks at it, and lets it leave in order, as one that shall find its database again. */
export async function measureStart(plan: StartPlan): Promise<StartSample> {
  await mkdir(plan.directory, { recursive: true })
  const nodeOptions = await readStartOptions()
  const begunAt = performance.now()
  const service = startServiceProcess({
    directory: plan.directory,
    nodeOptions,
    env: {
      ...(plan.databaseUrl === null ? {} : { DATABASE_URL: plan.databaseUrl }),
      ...(plan.sentryDsn === null ? {} : { SENTRY_DSN: plan.sentryDsn }),
      DATA_DIRECTORY: join(plan.directory, 'data'),
      NODE_COMPILE_CACHE: plan.compileCache,
      // nobody: a model server is no part of a start
      OPENAI_API_BASE: 'http://127.0.0.1:9/v1',
    },
  })
  try {
    await service.listening
    const listeningMs = performance.now() - begunAt
    const readyMs = await service.ready()
    await pause(restMs)
    return { listeningMs, readyMs, memoryKb: residentKb(service.pid) }
  } finally {
    await leave(service)
  }
}

async function leave(service: ServiceProcess): Promise<void> {
  service.signal('SIGTERM')
  const timer = setTimeout(() => service.signal('SIGKILL'), limitMs)
  await service.ended
  clearTimeout(timer)
}

const bare = "require('node:http').createServer().listen(0, '127.0.0.1', () => console.log('here'))"

/** The floor: a process of Node that listens, and nothing else. */
export async function measureBareStart(): Promise<StartSample> {
  const begunAt = performance.now()
  const child = spawn(process.execPath, ['-e', bare], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  const listeningMs = performance.now() - begunAt
  await pause(restMs)
  const memoryKb = residentKb(child.pid ?? 0)
  child.kill('SIGKILL')
  return { listeningMs, readyMs: listeningMs, memoryKb }
}
