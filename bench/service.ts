import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Environment, startServiceProcess } from '../test/support/service-process.ts'
import { readStartOptions } from './start-options.ts'
import { makeTemporaryDirectory } from './temporary-directory.ts'

/** This service in a process of its own, as `npm start` starts it. */
export interface BenchService {
  readonly url: string
  readonly pid: number
  /** Kills it, or lets it leave in order where its last words matter (a profile); deletes its files. */
  stop(gently?: boolean): Promise<void>
}

export interface BenchServiceOptions {
  /** Where it keeps its state; null: in the embedded database. */
  readonly databaseUrl: string | null
  readonly env: Environment
  /** Where it leaves a CPU profile of its life, if it may leave in order; null: nowhere. */
  readonly profileDirectory: string | null
  /** Program in the place of the service's own. */
  readonly main?: string
}

const leaveMs = 20_000

/** Starts it in a directory of its own and waits until it takes work. */
export async function startBenchService(options: BenchServiceOptions): Promise<BenchService> {
  const directory = await makeTemporaryDirectory()
  const { databaseUrl, profileDirectory, env } = options
  if (profileDirectory !== null) await mkdir(profileDirectory, { recursive: true })
  const service = startServiceProcess({
    directory: directory.path,
    nodeOptions: await readStartOptions(),
    ...(options.main === undefined ? {} : { main: options.main }),
    env: {
      ...(databaseUrl === null ? {} : { DATABASE_URL: databaseUrl }),
      ...(profileDirectory === null ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profileDirectory}` }),
      DATA_DIRECTORY: join(directory.path, 'data'),
      SHUTDOWN_GRACE_SECONDS: '1',
      ...env,
    },
  })
  const stop = async (gently = false): Promise<void> => {
    if (gently) {
      service.signal('SIGTERM')
      const timer = setTimeout(() => service.signal('SIGKILL'), leaveMs)
      await service.ended
      clearTimeout(timer)
    } else await service.kill()
    await directory.remove()
  }
  try {
    await service.ready()
    return { url: await service.listening, pid: service.pid, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
