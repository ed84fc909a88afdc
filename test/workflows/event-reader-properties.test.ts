import fc from 'fast-check'
import { expect, test } from 'vitest'

import { openEventReader } from '../../src/workflows/event-reader.ts'
import { keepsAttempt, voidsAttempt } from '../../src/workflows/events.ts'
import { seenEvents } from '../support/followed-events.ts'
import type { SeenEvent } from '../support/followed-events.ts'
import { createEventWorld, lanePlans } from './event-world.ts'
import type { EventWorld } from './event-world.ts'
import { expectAttempts } from './lawful-log.ts'

/** What the next thing is, drawn from one list of numbers that never ends. */
type Draw = (below: number) => number

function drawFrom(numbers: readonly number[]): Draw {
  let at = 0
  return (below) => {
    at += 1
    return ((numbers[at % numbers.length] ?? 0) + Math.floor(at / numbers.length)) % below
  }
}

/** A client that now and then loses its connection in the middle of what it was sent, and comes back. */
async function readUnsteadily(world: EventWorld, draw: Draw): Promise<readonly SeenEvent[]> {
  let seen: SeenEvent[] = []
  for (;;) {
    const cursor = seen.findLast((event) => event.id !== null)?.id ?? null
    const workflow = await world.parts.store.load(world.workflow.id)
    if (workflow === null) throw new Error('it is gone')
    const reader = await openEventReader(world.parts, workflow, cursor)
    const { events, done } = await readForAWhile(world, reader, draw)
    reader.close()
    seen.push(...events)
    if (done) return seen
    // It may also come back from further behind, and forget what it saw since.
    if (draw(4) === 0) seen = seen.slice(0, draw(seen.length + 1))
  }
}

async function readForAWhile(
  world: EventWorld,
  reader: Awaited<ReturnType<typeof openEventReader>>,
  draw: Draw,
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
    if (!world.happen(draw(2))) world.parts.followers.grew(world.workflow.id)
    // What happened may be nothing that a reader is woken for.
    await Promise.race([changed.catch(() => undefined), new Promise((resolve) => setImmediate(resolve))])
  }
}

function expectWhole(world: EventWorld, events: readonly SeenEvent[]): void {
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

test('however it happens and wherever it is cut: every stored event once, every kept text exactly', async () => {
  await fc.assert(
    fc.asyncProperty(lanePlans, fc.array(fc.nat(999), { minLength: 20, maxLength: 60 }), async (plans, numbers) => {
      const world = createEventWorld(plans)
      const draw = drawFrom(numbers)
      world.onLook = () => {
        for (let times = draw(3); times > 0; times -= 1) world.happen(draw(2))
      }
      expectWhole(world, await readUnsteadily(world, draw))
    }),
    { numRuns: 300 },
  )
})

test('who comes when all is over gets every kept text as one delta, and nothing of a void one', async () => {
  await fc.assert(
    fc.asyncProperty(lanePlans, fc.infiniteStream(fc.nat(1)), async (plans, lanes) => {
      const world = createEventWorld(plans)
      while (world.happen(lanes.next().value)) {
        // All of it happens before anybody looks.
      }
      const reader = await openEventReader(world.parts, world.workflow, null)
      const { frames, done } = await reader.read(1000)
      const events = seenEvents(frames)
      expect(done).toBe(true)
      expectWhole(world, events)
      const kept = world.log.filter(({ type, step, attempt }) => {
        return keepsAttempt(type) && world.outputs.get(`${step?.slice(5)}@${attempt}`) !== ''
      })
      expect(events.filter((event) => event.type === 'step.delta')).toHaveLength(kept.length)
      expect(world.log.filter(({ type }) => voidsAttempt(type) || keepsAttempt(type))).toHaveLength(plans.flat().length)
    }),
    { numRuns: 100 },
  )
})
