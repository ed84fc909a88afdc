import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { EventSink } from '../../src/llm/event-sink.ts'
import { createEventStream } from '../../src/llm/event-stream.ts'

interface Opened {
  readonly stream: AsyncIterableIterator<number, undefined, undefined>
  /** What the source was told. */
  readonly told: string[]
  readonly sink: () => EventSink<number>
}

function openStream(): Opened {
  const told: string[] = []
  let sink: EventSink<number> | null = null
  const stream = createEventStream<number>((opened) => {
    told.push('open')
    sink = opened
    return { wanted: () => void told.push('wanted'), left: () => void told.push('left') }
  })
  const sinkOf = (): EventSink<number> => {
    if (sink === null) throw new Error('Nobody has read yet.')
    return sink
  }
  return { stream, told, sink: sinkOf }
}

const noMore = { done: true, value: undefined }
const one = (value: number) => ({ done: false, value })

describe('the source', () => {
  test('is opened by the first read, and told of every wait', async () => {
    const { stream, told, sink } = openStream()
    expect(told).toEqual([])
    const first = stream.next()
    expect(told).toEqual(['open', 'wanted'])
    expect(sink().isAwaited).toBe(true)
    sink().push(1)
    sink().push(2)
    expect(sink()).toMatchObject({ isAwaited: false, kept: 1 })
    expect([await first, await stream.next()]).toEqual([one(1), one(2)])
    expect(told).toEqual(['open', 'wanted'])
    void stream.next()
    expect(told).toEqual(['open', 'wanted', 'wanted'])
  })

  test('that cannot be opened fails the first read only', async () => {
    const reason = new Error('no')
    const stream = createEventStream<number>(() => {
      throw reason
    })
    await expect(stream.next()).rejects.toBe(reason)
    expect(await stream.next()).toEqual(noMore)
  })

  test('is not opened for a reader that leaves before', async () => {
    const { stream, told } = openStream()
    expect(await stream.return?.()).toEqual(noMore)
    expect(await stream.next()).toEqual(noMore)
    expect(told).toEqual([])
  })

  test('is told once that the reader leaves, and a read that waits ends', async () => {
    const { stream, told, sink } = openStream()
    const first = stream.next()
    await stream.return?.()
    await stream.return?.()
    expect(await first).toEqual(noMore)
    sink().fail(new Error('late'))
    sink().end(() => {
      throw new Error('late')
    })
    expect(await stream.next()).toEqual(noMore)
    expect(told).toEqual(['open', 'wanted', 'left'])
  })

  test('is told once when everything was taken', async () => {
    const { stream, told, sink } = openStream()
    const first = stream.next()
    sink().push(1)
    sink().push(2)
    sink().whenTaken(() => void told.push('taken'))
    await first
    await stream.next()
    expect(told).not.toContain('taken')
    const third = stream.next()
    sink().push(3)
    await third
    void stream.next()
    expect(told).toEqual(['open', 'wanted', 'wanted', 'taken', 'wanted'])
  })
})

describe('an end', () => {
  test('comes after what was kept, and may add to it', async () => {
    const { stream, told, sink } = openStream()
    const first = stream.next()
    sink().push(1)
    sink().push(2)
    sink().end(() => {
      told.push('conclude')
      sink().push(3)
      throw new Error('after all')
    })
    sink().end(() => void told.push('again'))
    expect([await first, await stream.next()]).toEqual([one(1), one(2)])
    expect(told).not.toContain('conclude')
    expect(await stream.next()).toEqual(one(3))
    await expect(stream.next()).rejects.toThrow('after all')
    expect(await stream.next()).toEqual(noMore)
    expect(told).not.toContain('again')
    await stream.return?.()
    expect(told).not.toContain('left')
  })

  test('by a failure forgets what was kept and the end before it', async () => {
    const { stream, told, sink } = openStream()
    const first = stream.next()
    const reason = new Error('aborted')
    sink().push(1)
    sink().push(2)
    sink().end(() => void told.push('conclude'))
    sink().fail(reason)
    expect(await first).toEqual(one(1))
    await expect(stream.next()).rejects.toBe(reason)
    expect(told).not.toContain('conclude')
  })
})

test('two readers at once are refused, and the first is not disturbed', async () => {
  const { stream, sink } = openStream()
  const first = stream.next()
  await expect(stream.next()).rejects.toMatchObject({ code: 'internal' })
  sink().push(1)
  expect(await first).toEqual(one(1))
})

test('whenever the reader comes, everything comes once and in order', async () => {
  const step = fc.constantFrom('push' as const, 'read' as const, 'turn' as const)
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.boolean(), async (steps, fails) => {
      const { stream, sink } = openStream()
      const reads = [stream.next()]
      let pushed = 0
      for (const what of steps) {
        if (what === 'push') sink().push((pushed += 1))
        else if (what === 'turn') await Promise.resolve()
        else if (!sink().isAwaited) reads.push(stream.next())
      }
      sink().end(() => {
        if (fails) throw new Error('end')
      })
      while (reads.length <= pushed) reads.push(stream.next())
      const results = await Promise.allSettled(reads)
      const values = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value.value] : []))
      expect(values.filter((value) => value !== undefined)).toEqual(Array.from({ length: pushed }, (_, at) => at + 1))
      expect(results.slice(0, pushed).every(({ status }) => status === 'fulfilled')).toBe(true)
      expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(fails ? 1 : 0)
    }),
  )
})
