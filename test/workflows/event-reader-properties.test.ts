import fc from 'fast-check'
import { expect, test } from 'vitest'

import { openEventReader } from '../../src/workflows/event-reader.ts'
import { keepsAttempt, voidsAttempt } from '../../src/workflows/events.ts'
import { seenEvents } from '../support/followed-events.ts'
import { createEventWorld, lanePlans } from './event-world.ts'
import { drawFrom, expectWhole, readUnsteadily } from './unsteady-reader.ts'

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
