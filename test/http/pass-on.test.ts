import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, test } from 'vitest'
import { passOn } from '../../src/http/pass-on.ts'
import type { StreamConnection } from '../../src/http/stream-connection.ts'
import type { EventBatch, EventReader } from '../../src/workflows/service.ts'

const batchOf = (...data: string[]): EventBatch => ({
  frames: data.map((text) => ({ id: null, type: 'step.delta', data: text })),
  done: false,
  gone: false,
})
const nothing = batchOf()

/** A reader that is told what to give, and a connection that notes what it is given. */
function bench() {
  const gives: (EventBatch | Promise<EventBatch>)[] = []
  const listening = new Set<() => void>()
  const over = new AbortController()
  const written: string[] = []
  const full: Promise<void>[] = []
  const reader: EventReader = {
    cursor: '',
    read: () => gives.shift() ?? nothing,
    changed: () => Promise.reject(new Error('nobody waits')),
    onChange(run) {
      listening.add(run)
      if (gives.length > 0) run()
      return () => void listening.delete(run)
    },
    close: () => undefined,
  }
  const connection: Pick<StreamConnection, 'over' | 'write'> = {
    over: over.signal,
    write({ frames }) {
      over.signal.throwIfAborted()
      written.push(...frames.map(({ data }) => data))
      return full.shift()
    },
  }
  const wake = (...batches: typeof gives) => {
    gives.push(...batches)
    for (const run of listening) run()
  }
  return { reader, connection, over, written, full, listening, wake, gives }
}

describe('what is read at once', () => {
  test('is written at once, and nothing is read twice for it', async () => {
    const { reader, connection, over, written, wake, gives, listening } = bench()
    gives.push(batchOf('before'))
    const rest = passOn(reader, connection, 2)
    expect(written).toEqual(['before'])
    wake(batchOf('one'))
    wake(nothing)
    wake(batchOf('two'), batchOf('not asked for yet'))
    expect(written).toEqual(['before', 'one', 'two'])
    wake()
    // As many as were asked for: there may be more.
    wake(batchOf('three', 'four'), batchOf('five'))
    expect(written.slice(3)).toEqual(['not asked for yet', 'three', 'four', 'five'])
    over.abort('leaving')
    await expect(rest).rejects.toBe('leaving')
    expect(listening.size).toBe(0)
  })

  test('is all that is passed on: what has to be waited for is given back', async () => {
    const { reader, connection, written, wake, listening } = bench()
    const rest = passOn(reader, connection, 2)
    const asked = Promise.resolve(batchOf('stored'))
    wake(batchOf('one'), nothing)
    wake()
    wake(asked, batchOf('later'))
    expect((await rest).asked).toBe(asked)
    expect(written).toEqual(['one'])
    expect(listening.size).toBe(0)
  })

  test.for(['gone', 'done'] as const)('is given back when it is %s', async (how) => {
    const { reader, connection, wake, listening } = bench()
    const last = { ...batchOf('last'), [how]: true }
    const rest = passOn(reader, connection, 2)
    wake(last)
    expect((await rest).asked).toBe(last)
    expect(listening.size).toBe(0)
  })

  test('waits for a socket that is full, and goes on from there', async () => {
    const { reader, connection, full, written, wake, listening } = bench()
    const { promise, resolve } = Promise.withResolvers<void>()
    full.push(promise)
    const rest = passOn(reader, connection, 2)
    wake(batchOf('one'), batchOf('two'))
    const { asked } = await rest
    expect(listening.size).toBe(0)
    resolve()
    expect(await asked).toEqual(batchOf('two'))
    expect(written).toEqual(['one'])
  })
})

test('who is already over, or fails, is told so and no longer woken', async () => {
  const { reader, connection, over, wake, listening } = bench()
  const rest = passOn({ ...reader, read: () => expect.fail('unreadable') }, connection, 2)
  wake()
  await expect(rest).rejects.toThrow('unreadable')
  over.abort('slow')
  await expect(passOn(reader, connection, 2)).rejects.toBe('slow')
  expect(listening.size).toBe(0)
})

test('it reads in the context of the one who asked for it', async () => {
  const { reader, connection, wake, over } = bench()
  const context = new AsyncLocalStorage<string>()
  const seen: (string | undefined)[] = []
  const noting = {
    ...reader,
    read() {
      seen.push(context.getStore())
      return nothing
    },
  }
  const rest = context.run('the request', () => passOn(noting, connection, 2))
  context.run('the runner', () => wake())
  expect(seen).toEqual(['the request'])
  over.abort('leaving')
  await expect(rest).rejects.toBe('leaving')
})
