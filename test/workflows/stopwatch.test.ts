import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createStopwatch } from '../../src/workflows/stopwatch.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('a stopwatch', () => {
  test('counts only while it runs', () => {
    const watch = createStopwatch(0, 10_000)
    vi.advanceTimersByTime(500)
    expect(watch.elapsedMs()).toBe(0)
    watch.start()
    vi.advanceTimersByTime(1000)
    expect(watch.elapsedMs()).toBe(1000)
    watch.pause()
    vi.advanceTimersByTime(60_000)
    expect(watch.elapsedMs()).toBe(1000)
    watch.start()
    vi.advanceTimersByTime(2000)
    expect(watch.elapsedMs()).toBe(3000)
  })

  test('tells that time is up when the counted time reaches the limit, not before', () => {
    const watch = createStopwatch(0, 5000)
    watch.start()
    vi.advanceTimersByTime(3000)
    watch.pause()
    vi.advanceTimersByTime(60_000)
    watch.start()
    vi.advanceTimersByTime(1999)
    expect(watch.timeUp.aborted).toBe(false)
    vi.advanceTimersByTime(1)
    expect(watch.timeUp.aborted).toBe(true)
  })

  test('goes on where an earlier process stopped', () => {
    const watch = createStopwatch(4000, 5000)
    expect(watch.elapsedMs()).toBe(4000)
    watch.start()
    vi.advanceTimersByTime(1000)
    expect(watch.timeUp.aborted).toBe(true)
  })

  test('with nothing left is up at once', () => {
    const watch = createStopwatch(9000, 5000)
    watch.start()
    vi.advanceTimersByTime(1)
    expect(watch.timeUp.aborted).toBe(true)
  })

  test('started or paused twice counts once', () => {
    const watch = createStopwatch(0, 5000)
    watch.pause()
    watch.start()
    vi.advanceTimersByTime(1000)
    watch.start()
    vi.advanceTimersByTime(1000)
    watch.pause()
    watch.pause()
    expect(watch.elapsedMs()).toBe(2000)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('takes the longest time that a step may have', () => {
    const weekMs = 604_800_000
    const watch = createStopwatch(0, weekMs)
    watch.start()
    vi.advanceTimersByTime(weekMs - 1)
    expect(watch.timeUp.aborted).toBe(false)
    vi.advanceTimersByTime(1)
    expect(watch.timeUp.aborted).toBe(true)
  })
})
