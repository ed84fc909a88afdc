import { startChild } from '../child.ts'
import { contenderFacts, type ContenderName, isPeer } from './contender.ts'
import type { ContenderResult, ContenderTask } from './contender-process.ts'
import { freePort } from '../../test/support/free-port.ts'
import { type LivezAnswer, watchLivez } from './livez.ts'
import type { Sample, Window } from './measure.ts'
import type { PostgresServer } from '../postgres-server.ts'
import type { RedisServer } from './redis-server.ts'
import { makeTemporaryDirectory } from '../temporary-directory.ts'

/** The servers that contenders use, and whom to tell. */
export interface Arena {
  readonly postgres: PostgresServer
  /** Or why there is none. */
  readonly redis: RedisServer | string
  readonly signal: AbortSignal
  readonly progress: (line: string) => void
  readonly profileDirectory: string | null
}

/** One contender in one process. */
export interface Bout {
  readonly contender: ContenderName
  readonly outputBytes: number
  readonly chain: number | null
  readonly windows: readonly Window[]
  /** Done to its database before, after some runs have set it up. */
  readonly prepare?: (databaseUrl: string) => Promise<void>
  /** Done to its database afterwards. */
  readonly examine?: (databaseUrl: string) => Promise<void>
}

/** What came of it; `livez` only where an edge listened. */
export type BoutResult =
  | { readonly samples: readonly Sample[]; readonly livez: readonly LivezAnswer[] }
  | { readonly failure: string }

const slackMs = 45_000
const settingUp: readonly Window[] = [{ inFlight: 1, warmUpMs: 0, windowMs: 300 }]
const entry = new URL('./contender-process.ts', import.meta.url)

/** Runs it in a fresh process on a fresh database, and cleans up after it. */
export async function runContender(arena: Arena, bout: Bout): Promise<BoutResult> {
  const { store } = contenderFacts[bout.contender]
  if (store === 'redis' && typeof arena.redis === 'string') return { failure: arena.redis }
  const temporary = await makeTemporaryDirectory()
  const directory = temporary.path
  const name = `bench_${Date.now()}`
  try {
    const databaseUrl = store === 'postgres' ? await arena.postgres.createDatabase(name) : ''
    if (bout.prepare !== undefined) {
      await runChild(arena, { ...bout, windows: settingUp }, { directory, databaseUrl })
      await bout.prepare(databaseUrl)
    }
    const result = await runChild(arena, bout, { directory, databaseUrl })
    await bout.examine?.(databaseUrl)
    return result
  } catch (error) {
    arena.signal.throwIfAborted()
    return { failure: error instanceof Error ? error.message : String(error) }
  } finally {
    await temporary.remove()
    if (store === 'postgres') await arena.postgres.dropDatabase(name)
  }
}

async function runChild(
  arena: Arena,
  { contender, outputBytes, chain, windows }: Bout,
  at: Pick<ContenderTask, 'directory' | 'databaseUrl'>,
): Promise<BoutResult> {
  const { store } = contenderFacts[contender]
  const port = store === 'pglite' ? await freePort() : null
  const databasePid = databasePidOf(arena, store)
  const redisUrl = typeof arena.redis === 'string' ? '' : arena.redis.url
  const common = { contender, outputBytes, chain, windows, port, databasePid, redisUrl }
  const task: ContenderTask = { ...common, ...at, countsStatements: store === 'postgres' }
  const limitMs = windows.reduce((sum, { warmUpMs, windowMs }) => sum + warmUpMs + windowMs, slackMs)
  const execArgv = [...quietFlags(contender), ...profileFlags(arena, contender)]
  const child = startChild(entry, task, { limitMs, signal: arena.signal, execArgv })
  const watch = port === null ? null : watchLivez(port)
  try {
    const result = (await child.told) as ContenderResult
    return 'failure' in result ? result : { ...result, livez: watch?.answers() ?? [] }
  } finally {
    watch?.stop()
    await child.end()
  }
}

function databasePidOf({ postgres, redis }: Arena, store: 'postgres' | 'redis' | 'pglite'): number | null {
  if (store === 'postgres') return postgres.pid
  return store === 'redis' && typeof redis !== 'string' ? redis.pid : null
}

// what others are warned of is theirs to mend
function quietFlags(contender: ContenderName): readonly string[] {
  return isPeer(contender) ? ['--no-warnings'] : []
}

function profileFlags({ profileDirectory }: Arena, contender: ContenderName): readonly string[] {
  if (profileDirectory === null) return []
  return ['--cpu-prof', `--cpu-prof-dir=${profileDirectory}`, `--cpu-prof-name=${contender}-${Date.now()}.cpuprofile`]
}
