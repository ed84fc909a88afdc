import { expect } from 'vitest'

import type { SeenEvent } from '../support/followed-events.ts'

const keeping = new Set(['step.completed', 'step.incomplete', 'step.waiting'])
const voiding = new Set(['step.retrying', 'step.failed', 'step.cancelled'])
const ends = new Set(['workflow.completed', 'workflow.failed', 'workflow.cancelled'])

/** What holds for every log of an ended workflow that was read from its beginning by one reader. */
export function expectLawful(events: readonly SeenEvent[]): void {
  const stored = events.filter((event) => event.seq !== undefined)
  expect(stored.map((event) => event.seq)).toEqual(stored.map((_event, index) => index + 1))
  expect(stored[0]?.type).toBe('workflow.queued')
  expect(stored.filter((event) => ends.has(event.type))).toHaveLength(1)
  expect(ends.has(stored.at(-1)?.type ?? '')).toBe(true)
  expectAttempts(events)
}

/** Every attempt opens once, is closed once, and its deltas lie between without gap or overlap. */
export function expectAttempts(events: readonly SeenEvent[]): void {
  const open = new Map<string, { attempt: number; text: string }>()
  const last = new Map<string, number>()
  for (const event of events) {
    const { step = '', attempt = 0 } = event
    if (event.type === 'step.started') {
      expect(open.has(step), `${step} starts while it is open`).toBe(false)
      expect(attempt).toBe((last.get(step) ?? 0) + 1)
      last.set(step, attempt)
      open.set(step, { attempt, text: '' })
    }
    if (event.type === 'step.delta') takeDelta(event, open.get(step))
    if (keeping.has(event.type) || voiding.has(event.type)) closeAttempt(event, open)
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

function closeAttempt(event: SeenEvent, open: Map<string, { attempt: number; text: string }>): void {
  const at = open.get(event.step ?? '')
  open.delete(event.step ?? '')
  if (keeping.has(event.type) && at !== undefined) expect(at.text).toBe(event.output)
}
