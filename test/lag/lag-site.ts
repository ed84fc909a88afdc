import { temporaryDirectory } from '../support/database.ts'
import { startModelServer } from '../support/fault-server.ts'
import type { ModelServerDouble } from '../support/fault-server.ts'
import { startServiceProcess } from '../support/service-process.ts'
import type { Environment, ServiceProcess } from '../support/service-process.ts'

/** A process of the service that is ready. */
export interface LagReplica {
  readonly url: string
  readonly pid: number
}

/** Replicas on one Postgres, and the model that they ask. */
export interface LagSite {
  readonly model: ModelServerDouble
  start(env?: Environment): Promise<LagReplica>
  close(): Promise<void>
}

/** Starts no replica yet. */
export async function openLagSite(databaseUrl: string): Promise<LagSite> {
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
      return { pid: service.pid, url: await service.listening }
    },
    async close() {
      await Promise.all(started.map((service) => service.kill()))
      await model.close()
      await directory.remove()
    },
  }
}

/** Starts a workflow of one step, which can be told by its task; its id. */
export async function startTalk({ url }: LagReplica, task: string): Promise<string> {
  const steps = [{ id: 'talk', role: 'developer', task }]
  const answer = await fetch(`${url}/workflows`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'custom', requirement: 'Talk.', steps }),
  })
  if (answer.status !== 202) throw new Error(`${answer.status} ${await answer.text()}`)
  return ((await answer.json()) as { readonly id: string }).id
}
