import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openEventReader } from '../../src/workflows/event-reader.ts'
import type { EventReaderParts } from '../../src/workflows/event-reader.ts'
import { everybody } from '../../src/workflows/principal.ts'
import { createEventOpener } from '../../src/workflows/open-events.ts'
import { createSharedMoves } from '../../src/workflows/shared-moves.ts'
import { seenEvents } from '../support/followed-events.ts'
import type { SeenEvent } from '../support/followed-events.ts'
import { createEventWorld, lanePlans } from './event-world.ts'
import type { EventWorld } from './event-world.ts'
import { expectAttempts } from './lawful-log.ts'

const plans = [[{ pieces: ['one ', 'two ', 'three'], end: 'step.completed' }], []] as const
const longPlans = [[{ pieces: ['x'.repeat(100_000), 'y'], end: 'step.completed' }], []] as const

/** A world whose readers share, and how often each thing was looked up. */
function sharingWorld(of: Parameters<typeof createEventWorld>[0] = plans) {
  const world = createEventWorld(of)
  const looks = { eventsAfter: 0, load: 0, attemptsOpenAt: 0 }
  const { store } = world.parts
  const counted: EventReaderParts['store'] = {
    ...store,
    eventsAfter: (...given) => {
      looks.eventsAfter += 1
      return store.eventsAfter(...given)
    },
    load: (...given) => {
      looks.load += 1
      return store.load(...given)
    },
    attemptsOpenAt: (...given) => {
      looks.attemptsOpenAt += 1
      return store.attemptsOpenAt(...given)
    },
  }
  return { world, looks, parts: { ...world.parts, store: counted, sharedMoves: createSharedMoves() } }
}

/** Lets so many things happen, and every follower be woken. */
async function happen(world: EventWorld, times: number): Promise<void> {
  for (let n = 0; n < times; n += 1) world.happen(0)
  await new Promise((resolve) => setImmediate(resolve))
}

describe('readers of one workflow at one place', () => {
  test('get the very same frames, looked up and made once', async () => {
    const { world, looks, parts } = sharingWorld()
    const readers = await Promise.all(Array.from({ length: 100 }, () => openEventReader(parts, world.workflow, null)))
    const readAll = () => Promise.all(readers.map(async (reader) => reader.read(32)))
    for (const times of [3, 1, 2, 4]) {
      await happen(world, times)
      const before = looks.eventsAfter
      const batches = await readAll()
      expect(new Set(batches.map(({ frames }) => frames)).size).toBe(1)
      expect(batches[0]?.frames.length).toBeGreaterThan(0)
      expect(batches.every(({ shared }) => shared)).toBe(true)
      expect(looks.eventsAfter - before).toBeLessThanOrEqual(1)
      expect(new Set(readers.map(({ cursor }) => cursor)).size).toBe(1)
    }
    for (const reader of readers) reader.close()
  })

  test('text that is there is given at once, without a promise', async () => {
    const { world, parts } = sharingWorld()
    const reader = await openEventReader(parts, world.workflow, null)
    await happen(world, 3)
    await reader.read(32)
    await happen(world, 1)
    const batch = reader.read(32)
    expect(batch).toMatchObject({ frames: [{ type: 'step.delta' }] })
    reader.close()
  })

  test('one that comes later or from elsewhere is not given what is not its own', async () => {
    const { world, parts } = sharingWorld()
    const ahead = await openEventReader(parts, world.workflow, null)
    await happen(world, 4)
    const first = seenEvents((await ahead.read(32)).frames)
    const now = { ...world.workflow, seq: world.log.length }
    const late = await openEventReader(parts, now, first[0]?.id ?? null)
    expect(seenEvents((await late.read(32)).frames)).toEqual(first.slice(1))
    await happen(world, 1)
    const [one, other] = [await ahead.read(32), await late.read(32)]
    expect(one.frames).toBe(other.frames)
    for (const reader of [ahead, late]) reader.close()
  })

  test('reasoning goes to those who were there, also when they share what comes after it', async () => {
    const { world, parts } = sharingWorld()
    const think = (text: string) => world.parts.live.find(world.workflow.id, 0, 1)?.reasoning.append(text)
    const typesOf = async (reader: Awaited<ReturnType<typeof openEventReader>>) =>
      (await reader.read(32)).frames.map(({ type }) => type)
    const early = await Promise.all([1, 2].map(() => openEventReader(parts, world.workflow, null)))
    await happen(world, 3)
    await Promise.all(early.map(typesOf))
    think('so far')
    await happen(world, 1)
    const both = ['step.reasoning', 'step.delta']
    expect(await Promise.all(early.map(typesOf))).toEqual([both, both])
    const now = { ...world.workflow, seq: world.log.length }
    const late = await openEventReader(parts, now, early[0]?.cursor ?? null)
    expect(await typesOf(late)).toEqual([])
    think('and on')
    await happen(world, 1)
    const all = await Promise.all([...early, late].map(async (reader) => reader.read(32)))
    expect(new Set(all.map(({ frames }) => frames)).size).toBe(1)
    expect(JSON.parse(all[0]?.frames[0]?.data ?? '')).toMatchObject({ type: 'step.reasoning', text: 'and on' })
    for (const reader of [...early, late]) reader.close()
  })

  test('a large batch is not kept for those who come later', async () => {
    const { world, parts } = sharingWorld(longPlans)
    const readers = await Promise.all([1, 2].map(() => openEventReader(parts, world.workflow, null)))
    await happen(world, 3)
    await Promise.all(readers.map(async (reader) => reader.read(32)))
    await happen(world, 1)
    const [one, other] = await Promise.all(readers.map(async (reader) => reader.read(32)))
    expect(one?.frames).toEqual(other?.frames)
    expect(one?.frames).not.toBe(other?.frames)
    for (const reader of readers) reader.close()
  })

  test('a failure is for those who waited for it, and the next look is a new one', async () => {
    const { world, parts } = sharingWorld()
    const { eventsAfter } = parts.store
    const readers = await Promise.all([1, 2].map(() => openEventReader(parts, world.workflow, null)))
    parts.store.eventsAfter = () => Promise.reject(new Error('away'))
    const failed = await Promise.allSettled(readers.map(async (reader) => reader.read(32)))
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    parts.store.eventsAfter = eventsAfter
    const batches = await Promise.all(readers.map(async (reader) => reader.read(32)))
    expect(batches.map(({ frames }) => frames.length)).toEqual([1, 1])
    for (const reader of readers) reader.close()
  })
})

test('hundreds who come back with one cursor are looked up once', async () => {
  const { world, looks, parts } = sharingWorld()
  await happen(world, 4)
  const ref = { kind: 'workflow', id: world.workflow.id } as const
  const first = await openEventReader(parts, world.workflow, null)
  await first.read(32)
  const open = createEventOpener(parts)
  Object.assign(looks, { eventsAfter: 0, load: 0, attemptsOpenAt: 0 })
  const readers = await Promise.all(
    Array.from({ length: 300 }, () => open({ ref, cursor: first.cursor, principal: everybody })),
  )
  await Promise.all(readers.map(async (reader) => reader.read(32)))
  expect(looks).toEqual({ load: 1, attemptsOpenAt: 1, eventsAfter: 1 })
  for (const reader of [first, ...readers]) reader.close()
})

test('a cursor that is refused to one is looked up again for the next', async () => {
  const { looks, world, parts } = sharingWorld()
  const open = createEventOpener(parts)
  const ref = { kind: 'workflow', id: world.workflow.id } as const
  const opened = await Promise.allSettled([1, 2].map(() => open({ ref, cursor: 'rubbish', principal: everybody })))
  expect(opened.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(looks.load).toBe(2)
})

/** Reads to the end, with connections of a few looks each, while things happen. */
async function readUnsteadily(world: EventWorld, parts: EventReaderParts, draw: (below: number) => number) {
  const seen: SeenEvent[] = []
  for (;;) {
    const cursor = seen.findLast(({ id }) => id !== null)?.id ?? null
    const reader = await openEventReader(parts, { ...world.workflow, seq: world.log.length }, cursor)
    for (let looks = 1 + draw(6); looks > 0; looks -= 1) {
      const { frames, done } = await reader.read(1 + draw(4))
      seen.push(...seenEvents(frames))
      if (done) return seen
      if (draw(2) === 0) world.happen(draw(2))
      if (draw(3) === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    reader.close()
  }
}

test('readers that share are exact, however they are cut while things happen', async () => {
  await fc.assert(
    fc.asyncProperty(lanePlans, fc.array(fc.nat(999), { minLength: 20, maxLength: 60 }), async (drawn, numbers) => {
      const { world, parts } = sharingWorld(drawn)
      let at = 0
      const draw = (below: number) => {
        at += 1
        return ((numbers[at % numbers.length] ?? 0) + Math.floor(at / numbers.length)) % below
      }
      const all = await Promise.all([1, 2, 3, 4].map(() => readUnsteadily(world, parts, draw)))
      for (const events of all) {
        const stored = events.filter(({ type }) => type !== 'step.delta')
        expect(stored.map(({ seq }) => seq)).toEqual(world.log.map(({ seq }) => seq))
        expectAttempts(events)
        for (const [place, output] of world.outputs) {
          const [index, attempt] = place.split('@')
          const deltas = events.filter(
            (event) =>
              event.type === 'step.delta' && event.step === `step-${index}` && event.attempt === Number(attempt),
          )
          expect(deltas.map(({ text }) => text).join('')).toBe(output)
        }
      }
    }),
    { numRuns: 150 },
  )
})
