import { setTimeout as delay } from 'node:timers/promises'
import { readStream } from '../smoke/event-connection.ts'
import { createEventJournal } from '../smoke/event-journal.ts'
import type { EventJournal } from '../smoke/event-journal.ts'
import { assignmentOf } from './assignments.ts'

/** A workflow of the service, as far as it is looked at here. */
export interface EndedWorkflow {
  readonly id: string
  readonly type: string
  readonly status: string
  readonly duration_ms: number
  readonly error: { readonly code: string } | null
  readonly usage: { readonly llm_calls: number }
  readonly steps: readonly {
    readonly id: string
    readonly status: string
    readonly attempt: number
    readonly depends_on: readonly string[]
    readonly output: string | null
    readonly error: { readonly code: string } | null
  }[]
}

/** A workflow and how it was got. */
export interface Outcome {
  readonly run: number
  readonly workflow: EndedWorkflow
  /** What one reader saw of it; null where nobody read. */
  readonly reading: { readonly journal: EventJournal; readonly connections: number } | null
}

/** How a workflow is read: bytes after which each connection is cut; null: only its end is waited for. */
export type Cuts = (() => number) | null

const waitSeconds = 60
const lookMs = 200
const endings = new Set(['completed', 'failed', 'cancelled'])

/** Starts a workflow and resolves when it has ended. Rejects on any answer that should not be. */
export async function runWorkflow(url: string, run: number, cuts: Cuts): Promise<Outcome> {
  const started = await start(url, run, cuts === null)
  const address = `${url}/workflows/${started.id}`
  if (cuts === null) return { run, workflow: await untilEnded(address, started), reading: null }
  const reading = await readWithCuts(`${address}/events`, cuts)
  const workflow = await look(address)
  if (!endings.has(workflow.status)) throw new Error(`the stream of ${started.id} ended before its workflow`)
  return { run, workflow, reading }
}

async function untilEnded(address: string, started: EndedWorkflow): Promise<EndedWorkflow> {
  let workflow = started
  while (!endings.has(workflow.status)) {
    await delay(lookMs)
    workflow = await look(address)
  }
  return workflow
}

async function look(address: string): Promise<EndedWorkflow> {
  const answer = await fetch(address)
  if (answer.status !== 200) throw new Error(`GET: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as EndedWorkflow
}

async function start(url: string, run: number, wait: boolean): Promise<EndedWorkflow> {
  const answer = await fetch(`${url}/workflows`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(wait ? { prefer: `wait=${waitSeconds}` } : {}) },
    body: JSON.stringify(assignmentOf(run)),
  })
  if (answer.status !== 200 && answer.status !== 202) throw new Error(`POST: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as EndedWorkflow
}

async function readWithCuts(events: string, cuts: () => number): Promise<NonNullable<Outcome['reading']>> {
  const journal = createEventJournal()
  for (let connections = 1; ; connections += 1) {
    const { status, end } = await readStream(events, journal, { cutAfterBytes: cuts() })
    if (end === 'clean' && (status === 200 || status === 204)) return { journal, connections }
    if (end !== 'cut') throw new Error(`the stream answered ${status} and was ${end}`)
  }
}
