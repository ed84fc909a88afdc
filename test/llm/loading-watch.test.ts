import { describe, expect, onTestFinished, test } from 'vitest'
import { createLoadingWatch } from '../../src/llm/loading-watch.ts'
import { createHandClock } from '../support/hand-clock.ts'

/** A watch over a server that says what the test lets it say. */
function start() {
  const clock = createHandClock()
  const server = { loading: true, looks: [] as number[], loaded: [] as number[] }
  const watch = createLoadingWatch({
    clock,
    isLoading: async () => {
      server.looks.push(clock.now())
      return server.loading
    },
    loaded: () => server.loaded.push(clock.now()),
  })
  onTestFinished(() => {
    watch.close()
    expect(clock.timers()).toBe(0)
  })
  const advance = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second += 1) {
      clock.advance(1_000)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  return { clock, server, watch, advance }
}

const seconds = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => (index + 1) * 1_000)

describe('a server that says that it is loading', () => {
  test('is left alone for 2 minutes at most', async () => {
    const { watch, advance } = start()
    expect(watch.heard()).toBe(120_000)
    await advance(50)
    expect(watch.heard()).toBe(70_000)
    await advance(70)
    expect(watch.heard()).toBeNull()
    await advance(60)
    expect(watch.heard()).toBeNull()
  })

  test('is looked at each second, and no longer once it is done', async () => {
    const { watch, server, advance } = start()
    watch.heard()
    await advance(4)
    expect([server.looks, server.loaded]).toEqual([seconds(4), []])
    server.loading = false
    await advance(10)
    expect([server.looks, server.loaded]).toEqual([seconds(5), [5_000]])
  })

  test('is looked at each second, too, when many calls are told so at once', async () => {
    const { watch, server, advance } = start()
    for (let n = 0; n < 20; n += 1) watch.heard()
    await advance(1)
    watch.heard()
    await advance(2)
    expect(server.looks).toEqual(seconds(3))
  })

  test('is not looked at for ever', async () => {
    const { watch, server, advance, clock } = start()
    watch.heard()
    await advance(300)
    expect(server.looks).toEqual(seconds(120))
    expect(clock.timers()).toBe(0)
  })

  test('is looked at less and less often while it denies it', async () => {
    const { watch, server, advance } = start()
    server.loading = false
    for (const wait of [1, 2, 4, 8, 10, 10]) {
      const before = server.looks.length
      expect(watch.heard()).not.toBeNull()
      await advance(wait - 1)
      expect(server.looks).toHaveLength(before)
      await advance(1)
      expect(server.looks).toHaveLength(before + 1)
    }
    expect(server.loaded).toHaveLength(6)
    await advance(85)
    expect(watch.heard()).toBeNull()
  })
})

describe('it begins anew', () => {
  test('after a call was told anything else', async () => {
    const { watch, server, advance } = start()
    watch.heard()
    await advance(119)
    watch.answered()
    await advance(5)
    expect(server.looks).toHaveLength(119)
    expect(watch.heard()).toBe(120_000)
    await advance(1)
    expect(server.looks).toHaveLength(120)
  })

  test('when nothing was heard of it for more than 2 minutes', async () => {
    const { watch, advance } = start()
    watch.heard()
    await advance(120)
    expect(watch.heard()).toBeNull()
    await advance(121)
    expect(watch.heard()).toBe(120_000)
  })

  test('when it was done long ago', async () => {
    const { watch, server, advance } = start()
    watch.heard()
    server.loading = false
    await advance(3_600)
    server.loading = true
    expect(watch.heard()).toBe(120_000)
    await advance(1)
    expect(server.looks).toEqual([1_000, 3_601_000])
  })
})

test('a look that is under way when the watch ends changes nothing', async () => {
  const { watch, server, clock } = start()
  server.loading = false
  watch.heard()
  clock.advance(1_000)
  watch.answered()
  expect(watch.heard()).toBe(120_000)
  await new Promise((resolve) => setImmediate(resolve))
  expect([server.looks, server.loaded]).toEqual([[1_000], []])
  clock.advance(1_000)
  await new Promise((resolve) => setImmediate(resolve))
  expect([server.looks, server.loaded]).toEqual([[1_000, 2_000], [2_000]])
})
