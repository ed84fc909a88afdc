import fc from 'fast-check'
import { expect, test } from 'vitest'

import { createEventWorld, revivedPlans } from './event-world.ts'
import { createFarWorld } from './far-world.ts'
import { drawFrom, expectWhole, readUnsteadily } from './unsteady-reader.ts'

test('on another replica, whatever is lost on the way: every stored event once, every kept text exactly', async () => {
  let early = 0
  await fc.assert(
    fc.asyncProperty(revivedPlans, fc.array(fc.nat(999), { minLength: 20, maxLength: 60 }), async (plans, numbers) => {
      const [first = [[], []], ...later] = plans
      const world = createEventWorld(first, later)
      const draw = drawFrom(numbers)
      const far = createFarWorld(world, draw)
      world.onLook = () => {
        if (draw(8) === 0) world.happen(draw(2))
      }
      const others = { stopped: false }
      const making = (async () => {
        while (!others.stopped) {
          await far.happen()
          await new Promise((resolve) => setImmediate(resolve))
        }
      })()
      const seen = await readUnsteadily(world, draw, { parts: far.parts, patience: 8 })
      early += far.found()
      others.stopped = true
      await making
      far.far.close()
      expectWhole(world, seen)
    }),
    { numRuns: 300 },
  )

  expect(early).toBeGreaterThan(1000)
})
