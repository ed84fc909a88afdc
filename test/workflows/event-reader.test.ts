import { describe, expect } from 'vitest'

import type { EventReaderParts } from '../../src/workflows/event-reader.ts'
import { test as base } from '../support/engine-fixture.ts'
import { answer, appendLog, brief, cursorAt, openReader, readerParts, readOn, storeLog, textOf } from './event-log.ts'

const begun = ['workflow.queued', 'step.queued s@0', 'workflow.started', 'step.started s@1']
const kept = [...begun, ['step.completed s@1', textOf(1200)], 'workflow.completed'] as const

/** Two ended logs, for tests that only read. */
const test = base.extend<{ $file: { ended: { readonly id: string; readonly other: string } } }>({
  ended: [
    async ({ storage }, use) => {
      const id = await storeLog(storage.store, kept, { status: 'completed' })
      await use({ id, other: await storeLog(storage.store, kept, { status: 'completed' }) })
    },
    { scope: 'file' },
  ],
})

describe('cursors', () => {
  test.for<[name: string, cursor: (id: string, other: string) => string]>([
    ['is not one of ours', () => 'gibberish'],
    ['is empty', () => ''],
    ['is a number', () => '4'],
    ['has something behind it', (id) => `${cursorAt(id, 4, { 's@1': 1 })} `],
    ['names a step twice', (id) => `${cursorAt(id, 4, { 's@1': 1 })}-0.1.5`],
    ['has a negative number', (id) => cursorAt(id, -1)],
    ['has a number beyond all numbers', (id) => cursorAt(id, 10 ** 15)],
    ['is of another workflow', (_id, other) => cursorAt(other, 4)],
    ['is beyond the log', (id) => cursorAt(id, 7)],
    ['names an attempt that was never opened', (id) => cursorAt(id, 4, { 's@2': 0 })],
    ['names a step that is not there', (id) => cursorAt(id, 4, { 't9@1': 0 })],
    ['names an attempt that was not open yet', (id) => cursorAt(id, 3, { 's@1': 0 })],
    ['names an attempt that was open no more', (id) => cursorAt(id, 5, { 's@1': 1200 })],
    ['is beyond a kept text', (id) => cursorAt(id, 4, { 's@1': 1201 })],
  ])('one that %s is refused', async ([, cursorOf], { storage, ended: { id, other } }) => {
    const parts = readerParts(storage.store)
    await expect(openReader(parts, id, cursorOf(id, other))).rejects.toMatchObject({ code: 'invalid-cursor' })
  })

  test('at the very end of a kept text is good, and lacks only the closing event', async ({
    storage,
    ended: { id },
  }) => {
    const cursor = cursorAt(id, 4, { 's@1': 1200 })
    expect(await answer(readerParts(storage.store), id, cursor)).toEqual([5, 6, 'end'])
  })

  test('without the open attempt begins at its start', async ({ storage, ended: { id } }) => {
    expect(await answer(readerParts(storage.store), id, cursorAt(id, 4))).toEqual(['s@1 0–1200', 5, 6, 'end'])
  })

  test('beyond what an open attempt has said waits for more', async ({ storage }) => {
    const parts = readerParts(storage.store)
    const id = await storeLog(storage.store, begun)
    const { output } = parts.live.open(id, 0, 1)
    output.append(textOf(100))
    const reader = await openReader(parts, id, cursorAt(id, 4, { 's@1': 150 }))
    expect(brief((await readOn(reader)).events)).toEqual([])
    output.append(textOf(50))
    expect(brief((await readOn(reader)).events)).toEqual([])
    output.append('abc')
    const { events } = await readOn(reader)
    expect(brief(events)).toEqual(['s@1 150–153'])
    expect(events[0]?.text).toBe('abc')
  })

  test('beyond what a void attempt ever said is no error', async ({ storage }) => {
    const lines = [...begun, 'step.failed s@1', 'workflow.failed']
    const id = await storeLog(storage.store, lines, { status: 'failed' })
    expect(await answer(readerParts(storage.store), id, cursorAt(id, 4, { 's@1': 9999 }))).toEqual([5, 6, 'end'])
  })
})

describe('attempts', () => {
  test.for(['step.retrying', 'step.failed', 'step.cancelled'])(
    'one that %s has no text for who comes later',
    async (closing, { storage }) => {
      const parts = readerParts(storage.store)
      const id = await storeLog(storage.store, begun)
      parts.live.open(id, 0, 1).output.append(textOf(300))
      const early = await openReader(parts, id)
      expect(brief((await readOn(early)).events)).toEqual([1, 2, 3, 4, 's@1 0–300'])
      parts.live.close(id, 0)
      await appendLog(storage.store, id, { lines: [...begun, `${closing} s@1`], from: 4, status: 'running' })
      parts.followers.advance(id, 5)
      expect(brief((await readOn(early)).events)).toEqual([5])
      expect(await answer(parts, id, null)).toEqual([1, 2, 3, 4, 5])
    },
  )

  test('a text that was kept is one delta, also after a rejection and while the next is open', async ({ storage }) => {
    const parts = readerParts(storage.store)
    const lines = [...begun, ['step.waiting s@1', textOf(70)], 'step.rejected s@1', 'step.queued s@1'] as const
    const id = await storeLog(storage.store, [...lines, 'step.started s@2'])
    parts.live.open(id, 0, 2).output.append('next')
    expect(await answer(parts, id, null)).toEqual([1, 2, 3, 4, 's@1 0–70', 5, 6, 7, 8, 's@2 0–4'])
  })

  test('closing events that close nothing bring no text', async ({ storage }) => {
    const waited = [...begun, ['step.waiting s@1', textOf(70)], 'step.approved s@1', 'step.completed s@1'] as const
    const id = await storeLog(storage.store, [...waited, 'workflow.completed'], { status: 'completed' })
    const { events } = await readOn(await openReader(readerParts(storage.store), id))
    expect(brief(events)).toEqual([1, 2, 3, 4, 's@1 0–70', 5, 6, 7, 8])
    expect(events.find((event) => event.type === 'step.completed')?.output).toBe(textOf(70))
  })

  test('an empty kept text has no delta', async ({ storage }) => {
    const id = await storeLog(storage.store, [...begun, ['step.incomplete s@1', '']])
    expect(await answer(readerParts(storage.store), id, null)).toEqual([1, 2, 3, 4, 5])
  })

  test('no delta comes before the start of its attempt is stored', async ({ storage }) => {
    const parts = readerParts(storage.store)
    const id = await storeLog(storage.store, begun.slice(0, 3))
    parts.live.open(id, 0, 1).output.append('early')
    const reader = await openReader(parts, id)
    expect(brief((await readOn(reader)).events)).toEqual([1, 2, 3])
    await appendLog(storage.store, id, { lines: begun, from: 3, status: 'running' })
    parts.followers.advance(id, 4)
    expect(brief((await readOn(reader)).events)).toEqual([4, 's@1 0–5'])
  })
})

describe('pages', () => {
  const lines = [
    ...begun,
    'step.started t1@1',
    'step.continued s@1',
    ['step.completed t1@1', 'a😀\r\ndata: x\n\nb'],
    'step.retrying s@1',
    'step.started s@2',
    ['step.completed s@2', textOf(40)],
    'workflow.completed',
  ] as const

  test.for([1, 2, 3, 4, 5, 7])('of %d are joined to the same', async (limit, { storage }) => {
    const parts = readerParts(storage.store)
    const id = await storeLog(storage.store, lines, { status: 'completed', steps: ['s', 't1'] })
    const whole = await readOn(await openReader(parts, id))
    const joined = []
    let cursor: string | null = null
    for (let done = false; !done;) {
      const reader = await openReader(parts, id, cursor)
      const { frames, done: isLast } = await reader.read(limit)
      expect(frames.length).toBeLessThanOrEqual(limit)
      joined.push(...frames.map(({ id: frameId, data }) => ({ ...JSON.parse(data), id: frameId })))
      ;({ cursor } = reader)
      expect(cursor).toBe(frames.at(-1)?.id ?? cursor)
      done = isLast
      reader.close()
    }
    expect(joined).toEqual(whole.events)
    expect(whole.done).toBe(true)
  })
})

describe('reasoning', () => {
  test('has no id and is told only to who listens', async ({ storage }) => {
    const parts = readerParts(storage.store)
    const id = await storeLog(storage.store, begun)
    const attempt = parts.live.open(id, 0, 1)
    attempt.reasoning.append('first I ')
    const early = await openReader(parts, id)
    const first = await readOn(early)
    expect(first.events.slice(4)).toMatchObject([{ type: 'step.reasoning', step: 's', attempt: 1, text: 'first I ' }])
    expect(first.events[4]).toMatchObject({ id: null })
    expect(early.cursor).toBe(first.events[3]?.id)

    attempt.reasoning.append('think')
    attempt.output.append('then I say')
    const [thought, said] = (await readOn(early)).events
    expect(thought).toMatchObject({ type: 'step.reasoning', text: 'think', id: null })
    expect(said).toMatchObject({ type: 'step.delta', offset: 0, text: 'then I say' })

    const late = await readOn(await openReader(parts, id))
    expect(late.events.slice(4).map((event) => event.type)).toEqual(['step.delta'])
  })
})

describe('the end', () => {
  test('of an ended log is done, also with nothing left', async ({ storage, ended: { id } }) => {
    const parts = readerParts(storage.store)
    const reader = await openReader(parts, id)
    expect((await reader.read(5)).done).toBe(false)
    expect(await reader.read(5)).toMatchObject({ done: true, gone: false })
    const again = await openReader(parts, id, reader.cursor)
    expect(await again.read(5)).toEqual({ frames: [], done: true, gone: false })
  })

  test('of a log that goes on is not done', async ({ storage }) => {
    const id = await storeLog(storage.store, begun)
    expect((await readOn(await openReader(readerParts(storage.store), id))).done).toBe(false)
  })

  test('comes as gone when the workflow is deleted while it is read', async ({ storage }) => {
    const id = await storeLog(storage.store, kept, { status: 'completed' })
    const parts = readerParts(storage.store)
    const reader = await openReader(parts, id)
    await reader.read(3)
    expect(await storage.store.remove(id)).toBe('removed')
    expect(await reader.read(10)).toEqual({ frames: [], done: false, gone: true })
  })

  test('wakes who waits when the workflow is deleted', async ({ storage }) => {
    const id = await storeLog(storage.store, begun)
    const parts = readerParts(storage.store)
    const reader = await openReader(parts, id)
    await readOn(reader)
    await appendLog(storage.store, id, { lines: [...begun, 'workflow.cancelled'], from: 4, status: 'cancelled' })
    await storage.store.remove(id)
    const changed = reader.changed(AbortSignal.timeout(5000))
    parts.followers.advance(id, null)
    await changed
    expect((await reader.read(10)).gone).toBe(true)
  })

  test('does not invent an empty output for a workflow that goes between two reads', async ({ storage }) => {
    const id = await storeLog(storage.store, kept, { status: 'completed' })
    const store: EventReaderParts['store'] = {
      ...storage.store,
      async output(...place) {
        await storage.store.remove(id)
        return storage.store.output(...place)
      },
    }
    const { events, gone } = await readOn(await openReader(readerParts(store), id))
    expect(brief(events)).toEqual([1, 2, 3, 4])
    expect(gone).toBe(true)
  })

  test('a reader that waits gives up with the reason of its signal', async ({ storage }) => {
    const id = await storeLog(storage.store, begun)
    const reader = await openReader(readerParts(storage.store), id)
    await readOn(reader)
    const leaving = new AbortController()
    const changed = reader.changed(leaving.signal)
    leaving.abort(new Error('gone home'))
    await expect(changed).rejects.toThrow('gone home')
  })
})
