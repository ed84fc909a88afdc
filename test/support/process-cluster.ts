import { temporaryDirectory } from './database.ts'
import { startModelServer } from './fault-server.ts'
import type { ModelServerDouble } from './fault-server.ts'
import { startServiceProcess } from './service-process.ts'
import type { Environment, ServiceProcess } from './service-process.ts'

/** A replica as a process of its own. */
export interface ProcessReplica extends ServiceProcess {
  readonly url: string
}

/** Processes on one Postgres, and the model that they ask. */
export interface ProcessCluster {
  readonly model: ModelServerDouble
  start(env?: Environment): Promise<ProcessReplica>
  /** Ends everything. */
  close(): Promise<void>
}

/** Starts none yet. */
export async function openCluster(databaseUrl: string): Promise<ProcessCluster> {
  const directory = await temporaryDirectory()
  const model = await startModelServer()
  const started: ServiceProcess[] = []
  return {
    model,
    async start(env = {}) {
      const service = startServiceProcess({
        directory: directory.path,
        env: { OPENAI_API_BASE: model.url, DATABASE_URL: databaseUrl, ...env },
      })
      started.push(service)
      await service.ready()
      return { ...service, url: await service.listening }
    },
    async close() {
      // a stopped process dies of SIGKILL as well
      await Promise.all(started.map((service) => service.kill()))
      await model.close()
      await directory.remove()
    },
  }
}
