import { setTimeout as delay } from 'node:timers/promises'
import { readStream } from '../smoke/event-connection.ts'
import { createEventJournal } from '../smoke/event-journal.ts'
import type { EventJournal } from '../smoke/event-journal.ts'
import { assignmentOf } from './assignments.ts'
import { endings, lookAt, startWorkflow } from './workflow-requests.ts'
import type { SeenWorkflow } from './workflow-requests.ts'

/** A workflow and how it was got. */
export interface Outcome {
  readonly run: number
  readonly workflow: SeenWorkflow
  /** What one reader saw of it; null where nobody read. */
  readonly reading: { readonly journal: EventJournal; readonly connections: number } | null
}

/** How a workflow is read: bytes after which each connection is cut; null: only its end is waited for. */
export type Cuts = (() => number) | null

const lookMs = 200

/** Starts a workflow and resolves when it has ended. Rejects on any answer that should not be. */
export async function runWorkflow(url: string, run: number, cuts: Cuts): Promise<Outcome> {
  const started = await startWorkflow(url, assignmentOf(run), cuts === null)
  const address = `${url}/workflows/${started.id}`
  if (cuts === null) return { run, workflow: await untilEnded(address, started), reading: null }
  const reading = await readWithCuts(`${address}/events`, cuts)
  const workflow = await lookAt(address)
  if (!endings.has(workflow.status)) throw new Error(`the stream of ${started.id} ended before its workflow`)
  return { run, workflow, reading }
}

async function untilEnded(address: string, started: SeenWorkflow): Promise<SeenWorkflow> {
  let workflow = started
  while (!endings.has(workflow.status)) {
    await delay(lookMs)
    workflow = await lookAt(address)
  }
  return workflow
}

/** Reads a workflow's events to their end, over as many connections as the cuts make. Rejects when one breaks by itself. */
export async function readWithCuts(events: string, cuts: () => number): Promise<NonNullable<Outcome['reading']>> {
  const journal = createEventJournal()
  for (let connections = 1; ; connections += 1) {
    const { status, end } = await readStream(events, journal, { cutAfterBytes: cuts() })
    if (end === 'clean' && (status === 200 || status === 204)) return { journal, connections }
    if (end !== 'cut') throw new Error(`the stream answered ${status} and was ${end}`)
  }
}
