import { expect } from 'vitest'
import { temporaryDirectory } from '../support/database.ts'
import { startModelServer } from '../support/fault-server.ts'
import type { ModelServerDouble } from '../support/fault-server.ts'
import { startServiceProcess } from '../support/service-process.ts'
import type { Environment, ServiceProcess } from '../support/service-process.ts'
import { pollToEnd } from '../smoke/event-connection.ts'
import { createEventJournal } from '../smoke/event-journal.ts'
import type { EventJournal } from '../smoke/event-journal.ts'
import { getJson, postWorkflow } from '../smoke/smoke-test.ts'
import type { SeenWorkflow } from '../smoke/smoke-test.ts'

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

/** Reads a workflow to its end at a replica that stays, and holds the log to the promises of the stream. */
export async function readAtOther(replica: ProcessReplica, id: string): Promise<EventJournal> {
  const journal = createEventJournal()
  await pollToEnd(() => `${replica.url}/workflows/${id}/events`, journal)
  expect(journal.faults()).toEqual([])
  return journal
}

/** Losses and hand-overs that the log tells, as `step@attempt code`. */
export function lossesIn(journal: EventJournal): readonly string[] {
  const retrying = journal.lifecycle().filter(({ type }) => type === 'step.retrying')
  return retrying.map(({ step, attempt, error }) => `${step}@${attempt} ${error?.code}`)
}

/** Workflows of one step after another; their ids. */
export async function startMany(replica: ProcessReplica, count: number, steps: readonly object[]): Promise<string[]> {
  const body = { type: 'custom', requirement: 'Go on.', steps }
  const all = await Promise.all(Array.from({ length: count }, () => postWorkflow(replica.url, body)))
  return all.map(({ id }) => id)
}

/** The workflow as the replica shows it. */
export function readWorkflow(replica: ProcessReplica, id: string): Promise<SeenWorkflow> {
  return getJson<SeenWorkflow>(`${replica.url}/workflows/${id}`)
}
