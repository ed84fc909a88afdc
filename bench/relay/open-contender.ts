import { startChild } from '../child.ts'
import type { PostgresServer } from '../postgres-server.ts'
import { startBenchService } from '../service.ts'
import { type ContenderName, isOurs } from './contender.ts'
import type { ContenderTask } from './contender-process.ts'
import type { Site } from './site.ts'

/** What contenders need. */
export interface Arena {
  /** null when nobody who needs it is measured. */
  readonly postgres: PostgresServer | null
  /** With `/v1`. */
  readonly modelUrl: string
  readonly streams: number
  readonly signal: AbortSignal
  /** Where every contender leaves a CPU profile of its life; null: nowhere. */
  readonly profileDirectory: string | null
}

/** A contender that waits for readers. */
export interface OpenedContender {
  readonly site: Site
  close(): Promise<void>
}

const startMs = 30_000
const contenderModule = new URL('./contender-process.ts', import.meta.url)

/** Starts it in a fresh process, on a fresh database if it has one. */
export function openContender(name: ContenderName, arena: Arena): Promise<OpenedContender> {
  return isOurs(name) ? openService(name, arena) : openOther(name as ContenderTask['contender'], arena)
}

async function openOther(contender: ContenderTask['contender'], arena: Arena): Promise<OpenedContender> {
  const { modelUrl, signal, profileDirectory } = arena
  const execArgv = ['--no-warnings', ...profileFlags(profileDirectory, contender)]
  const child = startChild(contenderModule, { contender, modelUrl }, { limitMs: startMs, signal, execArgv })
  try {
    const { url } = (await child.told) as { readonly url: string }
    return { site: { contender, url, modelUrl, pid: child.pid, databasePid: null }, close: () => child.end() }
  } catch (error) {
    await child.end()
    throw error
  }
}

function profileFlags(directory: string | null, contender: ContenderName): readonly string[] {
  if (directory === null) return []
  return ['--cpu-prof', `--cpu-prof-dir=${directory}`, `--cpu-prof-name=${contender}-${Date.now()}.cpuprofile`]
}

async function openService(contender: ContenderName, arena: Arena): Promise<OpenedContender> {
  const { modelUrl, streams, profileDirectory } = arena
  const postgres = contender === 'ours' ? arena.postgres : null
  const database = `bench_${Date.now()}`
  const databaseUrl = postgres === null ? null : await postgres.createDatabase(database)
  // room for those whose readers have left and who are still being noticed
  const places = String(4 * streams)
  const service = await startBenchService({
    databaseUrl,
    profileDirectory: profileDirectory === null ? null : `${profileDirectory}/${contender}`,
    env: { OPENAI_API_BASE: modelUrl, MAX_CONCURRENT_AGENTS: places, MAX_CONCURRENT_WORKFLOWS: places },
  })
  return {
    site: { contender, url: service.url, modelUrl, pid: service.pid, databasePid: postgres?.pid ?? null },
    async close() {
      await service.stop(profileDirectory !== null)
      await postgres?.dropDatabase(database)
    },
  }
}
