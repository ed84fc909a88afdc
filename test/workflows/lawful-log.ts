import { expect } from 'vitest'

import type { SeenEvent } from '../support/followed-events.ts'
import { endedStatuses, lawfulBefore, lawfulFrom, leadsTo, statusAfter } from './event-order.ts'
import type { ToldStatus } from './event-order.ts'

const keeping = new Set(['step.completed', 'step.incomplete', 'step.waiting'])
const voiding = new Set(['step.retrying', 'step.failed', 'step.cancelled'])
const ends = ['completed', 'failed', 'cancelled']

/** A log as far as it has been read. */
interface Reading {
  status: string
  readonly steps: ReadonlyMap<string, SeenStep>
}

interface SeenStep {
  readonly dependsOn: readonly string[]
  status: ToldStatus
  attempt: number
  /** Its kept text waits, or waited in vain. */
  unanswered: boolean
}

/** What holds for every log of an ended workflow that was read from its beginning by one reader. */
export function expectLawful(events: readonly SeenEvent[]): void {
  const stored = events.filter((event) => event.seq !== undefined)
  expect(stored.map((event) => event.seq)).toEqual(stored.map((_event, index) => index + 1))
  const times = stored.map((event) => String(event['at']))
  expect(times, 'time runs backwards').toEqual(times.toSorted())
  const [first, ...rest] = stored
  expect(first?.type).toBe('workflow.queued')
  const nodes = (first?.['steps'] ?? []) as readonly { readonly id: string; readonly depends_on: readonly string[] }[]
  const reading: Reading = {
    status: 'queued',
    steps: new Map(
      nodes.map((node) => [node.id, { dependsOn: node.depends_on, status: 'pending', attempt: 0, unanswered: false }]),
    ),
  }
  for (const event of rest) {
    if (event.step === undefined) readWorkflow(event, reading)
    else readStep(event, reading)
  }
  expect(ends, 'it does not end with an end').toContain(reading.status)
  expectAttempts(events)
}

function must(holds: boolean | undefined, { seq, type, step }: SeenEvent, complaint: string): void {
  if (holds !== true) throw new Error(`${seq} ${type}${step === undefined ? '' : ` of ${step}`} ${complaint}`)
}

/** One end between two revivals, and it is last; one start per stay in `running`. */
function readWorkflow(event: SeenEvent, reading: Reading): void {
  const { status } = reading
  must(
    lawfulBefore[event.type]?.some((before) => before === status),
    event,
    `comes while it is ${status}`,
  )
  const told = String(event['status'])
  if (event.type === 'workflow.resumed') readRevival(event, reading)
  else must(told === statusAfter[event.type], event, `has status ${told}`)
  if (ends.includes(told)) expectEnd(event, reading)
  reading.status = told
}

function readRevival(event: SeenEvent, reading: Reading): void {
  const { from, reset } = event as unknown as { readonly from: string; readonly reset: readonly string[] }
  must(from === reading.status, event, `is from ${from}, not ${reading.status}`)
  must(reset.length > 0 === ends.includes(from), event, `resets ${reset.join()} of what is ${from}`)
  for (const id of reset) stepOf(reading, id).status = 'pending'
}

/** Nothing failed is ever called completed. */
function expectEnd(event: SeenEvent, { steps }: Reading): void {
  const { status, reason } = event as unknown as { readonly status: string; readonly reason: string | null }
  const statuses = [...steps.values()].map((step) => step.status)
  const complaint = `with reason ${reason} has steps ${statuses.join()}`
  const clean = statuses.every((step) => step === 'completed')
  must(
    statuses.every((step) => endedStatuses.has(step)),
    event,
    complaint,
  )
  must(statuses.includes('cancelled') === (status === 'cancelled'), event, complaint)
  must(clean === (status === 'completed' && reason === null), event, complaint)
  must(status !== 'completed' || !statuses.includes('skipped'), event, complaint)
}

/** No step begins before its dependencies, and what has ended begins again only after a revival. */
function readStep(event: SeenEvent, reading: Reading): void {
  const step = stepOf(reading, event.step ?? '')
  must(!ends.includes(reading.status), event, 'comes after the end')
  if (event.type === 'step.started') step.attempt += 1
  must(event.attempt === step.attempt, event, `is of attempt ${event.attempt}, not ${step.attempt}`)
  must(lawfulFrom[event.type]?.includes(step.status), event, `comes while it is ${step.status}`)
  if (event.type === 'step.queued' || event.type === 'step.started') expectReady(event, step, reading)
  if (event.type === 'step.waiting') must(step.status === 'running' || step.unanswered, event, 'asks again')
  if (event.type === 'step.failed') {
    must((event.error?.code === 'rejected') === (step.status === 'rejected'), event, `comes while it is ${step.status}`)
  }
  const to = leadsTo[event.type]
  if (to === undefined) return
  step.status = to
  // A closed gate may be opened again, unless it was answered or its step ran since.
  if (!endedStatuses.has(to)) step.unanswered = to === 'waiting'
}

function expectReady(event: SeenEvent, { dependsOn }: SeenStep, reading: Reading): void {
  const lawful = event.type === 'step.started' ? ['running'] : ['queued', 'running']
  must(lawful.includes(reading.status), event, `comes while the workflow is ${reading.status}`)
  const undone = dependsOn.filter((id) => !['completed', 'incomplete', 'failed'].includes(stepOf(reading, id).status))
  must(undone.length === 0, event, `comes before ${undone.join()}`)
}

function stepOf({ steps }: Reading, id: string): SeenStep {
  const step = steps.get(id)
  if (step === undefined) throw new Error(`there is no step ${id}`)
  return step
}

/**
 * Every attempt opens once, is closed once, and its deltas lie between without gap or overlap. What closes nothing, as
 * `step.completed` after an approval, tells the text that was kept, unless somebody edited it.
 */
export function expectAttempts(events: readonly SeenEvent[]): void {
  const open = new Map<string, { attempt: number; text: string }>()
  const last = new Map<string, number>()
  const kept = new Map<string, string>()
  for (const event of events) {
    const { step = '', attempt = 0 } = event
    if (event.type === 'step.started') {
      expect(open.has(step), `${step} starts while it is open`).toBe(false)
      expect(attempt).toBe((last.get(step) ?? 0) + 1)
      last.set(step, attempt)
      open.set(step, { attempt, text: '' })
    }
    if (event.type === 'step.delta') takeDelta(event, open.get(step))
    if (keeping.has(event.type)) keepText(event, open.get(step), kept)
    if (keeping.has(event.type) || voiding.has(event.type)) open.delete(step)
  }
  expect([...open.keys()]).toEqual([])
}

function takeDelta({ attempt, offset, text = '' }: SeenEvent, at: { attempt: number; text: string } | undefined): void {
  expect(at?.attempt, 'a delta of an attempt that is not open').toBe(attempt)
  expect(offset).toBe(at?.text.length)
  expect(text.isWellFormed()).toBe(true)
  expect(text).not.toBe('')
  if (at !== undefined) at.text += text
}

function keepText(event: SeenEvent, at: { text: string } | undefined, kept: Map<string, string>): void {
  const place = `${event.step}@${event.attempt}`
  if (at !== undefined) kept.set(place, at.text)
  if (event['edited'] === true) expect(at, `${place} is edited while it is open`).toBeUndefined()
  else expect(event.output, `the text of ${place}`).toBe(kept.get(place))
}
