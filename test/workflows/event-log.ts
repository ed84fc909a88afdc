import { encodeCursor } from '../../src/workflows/cursor.ts'
import { openEventReader } from '../../src/workflows/event-reader.ts'
import type { EventReaderParts } from '../../src/workflows/event-reader.ts'
import type { LifecycleEvent, LifecycleType } from '../../src/workflows/events.ts'
import { createFollowers } from '../../src/workflows/followers.ts'
import { createLiveTexts } from '../../src/workflows/live-texts.ts'
import type { EventReader } from '../../src/workflows/service.ts'
import type { WorkflowStore } from '../../src/workflows/store.ts'
import type { WorkflowStatus } from '../../src/workflows/workflow.ts'
import { change, event, moment, newWorkflow, step } from '../contract/fixtures.ts'
import { seenEvents } from '../support/followed-events.ts'
import type { SeenEvent } from '../support/followed-events.ts'

/** One line of a log: `type`, or `type step@attempt`; with the text that its attempt is kept with. */
export type LogLine = string | readonly [line: string, text: string]

export interface LogOptions {
  readonly status?: WorkflowStatus
  /** Ids of its steps; `s` alone by default. */
  readonly steps?: readonly string[]
}

function toEvent(line: LogLine, index: number): LifecycleEvent {
  const [type = '', place = ''] = (typeof line === 'string' ? line : line[0]).split(' ')
  const [stepId = '', attempt = '1'] = place.split('@')
  const where = stepId === '' ? {} : { step: stepId, attempt: Number(attempt) }
  return event(index + 1, type as LifecycleType, where)
}

/** Stores a workflow with exactly this log and these kept texts; returns its id. */
export async function storeLog(
  store: WorkflowStore,
  lines: readonly LogLine[],
  { status = 'running', steps = ['s'] }: LogOptions = {},
): Promise<string> {
  const definitions = steps.map((id, index) => {
    const made = step(index)
    return { ...made, definition: { ...made.definition, id, dependsOn: [] } }
  })
  const created = newWorkflow({ seq: 1, steps: definitions })
  await store.create(created, null)
  await appendLog(store, created.state.id, { lines, from: 1, status })
  return created.state.id
}

/** Stores what a log has beyond the line `from`. */
export async function appendLog(
  store: WorkflowStore,
  id: string,
  {
    lines,
    from,
    status,
  }: { readonly lines: readonly LogLine[]; readonly from: number; readonly status: WorkflowStatus },
): Promise<void> {
  const before = await store.load(id)
  if (before === null) throw new Error(`there is no workflow ${id}`)
  const events = lines.map(toEvent).slice(from)
  const outputs = lines.slice(from).flatMap((line, index) => {
    const stepIndex = before.steps.findIndex((known) => known.definition.id === events[index]?.step)
    return typeof line === 'string' ? [] : [{ stepIndex, attempt: events[index]?.attempt ?? 0, text: line[1] }]
  })
  const active = !['completed', 'failed', 'cancelled'].includes(status)
  if (!(await store.commit(change(before, { status, active }, { events, outputs })))) throw new Error('refused')
}

/** What readers need, on `store`. */
export function readerParts(store: EventReaderParts['store']): EventReaderParts {
  return { store, live: createLiveTexts(), followers: createFollowers(), clock: { now: () => moment } }
}

/** A cursor at `seq`, with the offset reached in each open text: `{ 's@1': 400 }` for the first step. */
export function cursorAt(id: string, seq: number, open: Readonly<Record<string, number>> = {}): string {
  const texts = Object.entries(open).map(([place, offset]) => {
    const [stepId = '', attempt] = place.split('@')
    return { stepIndex: stepId === 's' ? 0 : Number(stepId.slice(1)), attempt: Number(attempt), offset }
  })
  return encodeCursor(id, { seq, open: texts })
}

/** Opens a reader as the service does. */
export async function openReader(
  parts: EventReaderParts,
  id: string,
  cursor: string | null = null,
): Promise<EventReader> {
  const workflow = await parts.store.load(id)
  if (workflow === null) throw new Error(`there is no workflow ${id}`)
  return openEventReader(parts, workflow, cursor)
}

/** Reads until nothing more is there, `limit` frames at a time. */
export async function readOn(reader: EventReader, limit = 1000) {
  const events: SeenEvent[] = []
  for (;;) {
    const { frames, done, gone } = await reader.read(limit)
    events.push(...seenEvents(frames))
    if (frames.length === 0 || gone) return { events, done, gone }
  }
}

/** Short forms: `7` for a stored event, `s@1 400–1200` for a delta. */
export function brief(events: readonly SeenEvent[]): readonly (number | string)[] {
  return events.map(({ seq, type, step: stepId, attempt, offset = 0, text = '' }) => {
    if (seq !== undefined) return seq
    return type === 'step.delta' ? `${stepId}@${attempt} ${offset}–${offset + text.length}` : type
  })
}

/** An answer in short form, with `end` after the end. */
export async function answer(parts: EventReaderParts, id: string, cursor: string | null) {
  const { events, done } = await readOn(await openReader(parts, id, cursor))
  return [...brief(events), ...(done ? ['end'] : [])]
}

/** A text of so many characters, no two pieces of it alike. */
export function textOf(length: number): string {
  return Array.from({ length: Math.ceil(length / 5) }, (_, index) => String(index).padStart(5, '.'))
    .join('')
    .slice(0, length)
}
