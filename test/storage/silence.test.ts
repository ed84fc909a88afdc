import { describe, expect, it } from 'vitest'

import { createSilence } from '../../src/storage/silence.ts'

function setUp() {
  const world = { now: 0, free: 1e12 }
  const silence = createSilence({ freeBytes: async () => world.free, now: () => world.now })
  return { world, silence }
}

describe('the silence of the embedded database', () => {
  it('means nothing while no answer is owed, or on a disk with room', async () => {
    const { world, silence } = setUp()
    world.now = 1e9
    expect(await silence.verdict()).toBeNull()
    silence.asked()
    world.now += 60_000
    expect(await silence.verdict()).toBeNull()
    silence.answered()
    world.free = 0
    expect(await silence.verdict()).toBeNull()
  })

  it('means a full disk when there is no room for the log', async () => {
    const { world, silence } = setUp()
    world.free = 2_000_000
    silence.asked()
    world.now += 4000
    expect(await silence.verdict()).toBeNull()
    silence.asked()
    silence.answered()
    world.now += 4000
    expect(await silence.verdict()).toBeNull()
    world.now += 2000
    expect(await silence.verdict()).toBe('The disk is full.')
  })

  it('means the end after two minutes in any case', async () => {
    const { world, silence } = setUp()
    silence.asked()
    world.now += 120_001
    expect(await silence.verdict()).toContain('does not answer')
  })
})
