import { expect } from 'vitest'

import { openEventReader } from '../../src/workflows/event-reader.ts'
import type { EventReaderParts } from '../../src/workflows/event-reader.ts'
import type { EventReader } from '../../src/workflows/service.ts'
import { seenEvents } from '../support/followed-events.ts'
import type { SeenEvent } from '../support/followed-events.ts'
import type { EventWorld } from './event-world.ts'
import { expectAttempts } from './lawful-log.ts'

/** What the next thing is, drawn from one list of numbers that never ends. */
export type Draw = (below: number) => number

export function drawFrom(numbers: readonly number[]): Draw {
  let at = 0
  return (below) => {
    at += 1
    return ((numbers[at % numbers.length] ?? 0) + Math.floor(at / numbers.length)) % below
  }
}

export interface UnsteadyOptions {
  /** What the reader reads with, where that is not the world's own. */
  readonly parts?: EventReaderParts
  /** The world goes on each time that the reader has nothing to read; with more than 1 it lets it wait so often. */
  readonly patience?: number
}

/** A client that now and then loses its connection in the middle of what it was sent, and comes back until all is over. */
export async function readUnsteadily(
  world: EventWorld,
  draw: Draw,
  { parts = world.parts, patience = 1 }: UnsteadyOptions = {},
): Promise<readonly SeenEvent[]> {
  let seen: SeenEvent[] = []
  for (;;) {
    const cursor = seen.findLast((event) => event.id !== null)?.id ?? null
    const workflow = await parts.store.load(world.workflow.id)
    if (workflow === null) throw new Error('it is gone')
    const reader = await openEventReader(parts, workflow, cursor)
    const { events, done } = await readForAWhile(world, reader, { draw, patience })
    reader.close()
    seen.push(...events)
    // An end that is undone is just an event on the way.
    if (done && !world.happen(draw(2))) return seen
    // It may also come back from further behind, and forget what it saw since.
    if (draw(4) === 0) seen = seen.slice(0, draw(seen.length + 1))
  }
}

async function readForAWhile(
  world: EventWorld,
  reader: EventReader,
  { draw, patience }: { readonly draw: Draw; readonly patience: number },
): Promise<{ readonly events: readonly SeenEvent[]; readonly done: boolean }> {
  const events: SeenEvent[] = []
  for (;;) {
    const { frames, done } = await reader.read(1 + draw(6))
    const cut = draw(8) === 0
    events.push(...seenEvents(cut ? frames.slice(0, draw(frames.length + 1)) : frames))
    if (cut) return { events, done: false }
    if (done) return { events, done: true }
    if (frames.length > 0) continue
    const changed = reader.changed(AbortSignal.timeout(5000))
    if (draw(patience) === 0 && !world.happen(draw(2))) world.parts.followers.grew(world.workflow.id)
    // What happened may be nothing that a reader is woken for.
    await Promise.race([changed.catch(() => undefined), new Promise((resolve) => setImmediate(resolve))])
  }
}

/** Every stored event once and in order, and of every kept attempt exactly its text. */
export function expectWhole(world: EventWorld, events: readonly SeenEvent[]): void {
  const stored = events.filter((event) => event.seq !== undefined)
  expect(stored.map(({ seq, type }) => [seq, type])).toEqual(world.log.map(({ seq, type }) => [seq, type]))
  expectAttempts(events)
  for (const [place, output] of world.outputs) {
    const [index, attempt] = place.split('@')
    const deltas = events.filter(
      ({ type, step, attempt: of }) => type === 'step.delta' && step === `step-${index}` && of === Number(attempt),
    )
    expect(deltas.map((delta) => delta.text).join('')).toBe(output)
  }
}
