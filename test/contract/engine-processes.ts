import { expect } from 'vitest'
import { pollToEnd } from '../smoke/event-connection.ts'
import { createEventJournal } from '../smoke/event-journal.ts'
import type { EventJournal } from '../smoke/event-journal.ts'
import { getJson, postWorkflow } from '../smoke/smoke-test.ts'
import type { SeenWorkflow } from '../smoke/smoke-test.ts'
import type { ProcessReplica } from '../support/process-cluster.ts'

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
