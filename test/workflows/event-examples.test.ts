import { describe, expect } from 'vitest'

import { test } from '../support/engine-fixture.ts'
import { seenEvents } from '../support/followed-events.ts'
import { answer, brief, cursorAt, openReader, readerParts, readOn, storeLog, textOf } from './event-log.ts'
import type { LogLine } from './event-log.ts'

const begun = ['workflow.queued', 'step.queued s@0', 'workflow.started', 'step.started s@1']
const twice: readonly LogLine[] = [
  ...begun,
  ['step.completed s@1', textOf(1200)],
  'workflow.completed',
  'workflow.resumed',
  'step.queued s@1',
  'workflow.started',
  'step.started s@2',
  ['step.completed s@2', textOf(900)],
  'workflow.completed',
]
const gate: readonly LogLine[] = [
  ...begun,
  ['step.waiting s@1', textOf(700)],
  'workflow.waiting',
  'step.rejected s@1',
  'workflow.resumed',
  'step.queued s@1',
  'workflow.started',
  'step.started s@2',
]

describe('the examples of the contract', () => {
  test('an open text goes on at the offset, live', async ({ storage }) => {
    const parts = readerParts(storage.store)
    const id = await storeLog(storage.store, begun)
    const text = textOf(1500)
    const { output } = parts.live.open(id, 0, 1)
    output.append(text.slice(0, 1000))
    const reader = await openReader(parts, id, cursorAt(id, 4, { 's@1': 400 }))
    const first = await readOn(reader)
    expect(brief(first.events)).toEqual(['s@1 400–1000'])
    expect(first.done).toBe(false)

    const changed = reader.changed(AbortSignal.timeout(5000))
    output.append(text.slice(1000))
    parts.followers.grew(id)
    await changed
    const second = await readOn(reader)
    expect(brief(second.events)).toEqual(['s@1 1000–1500'])
    expect([...first.events, ...second.events].map((event) => event.text).join('')).toBe(text.slice(400))
  })

  test('an attempt lost after 1 000 characters is followed by the next from its start', async ({ storage }) => {
    const parts = readerParts(storage.store)
    const id = await storeLog(storage.store, [...begun, 'step.retrying s@1', 'step.started s@2'])
    const { output } = parts.live.open(id, 0, 2)
    output.append(textOf(50))
    const reader = await openReader(parts, id, cursorAt(id, 4, { 's@1': 1000 }))
    expect(brief((await readOn(reader)).events)).toEqual([5, 6, 's@2 0–50'])
    output.append('more')
    expect(brief((await readOn(reader)).events)).toEqual(['s@2 50–54'])
  })

  test.for<[name: string, seq: number | null, open: Record<string, number>, expected: (string | number)[]]>([
    [
      'a cursor before the first end',
      4,
      { 's@1': 400 },
      ['s@1 400–1200', 5, 6, 7, 8, 9, 10, 's@2 0–900', 11, 12, 'end'],
    ],
    ['a cursor at the first end', 6, {}, [7, 8, 9, 10, 's@2 0–900', 11, 12, 'end']],
    ['a cursor at the last event', 12, {}, ['end']],
    ['no cursor', null, {}, [1, 2, 3, 4, 's@1 0–1200', 5, 6, 7, 8, 9, 10, 's@2 0–900', 11, 12, 'end']],
  ])('a log that was revived: %s', async ([, seq, open, expected], { storage }) => {
    const id = await storeLog(storage.store, twice, { status: 'completed' })
    const cursor = seq === null ? null : cursorAt(id, seq, open)
    expect(await answer(readerParts(storage.store), id, cursor)).toEqual(expected)
  })

  test('a text that waited and was rejected: nothing is lacking, the next attempt is live', async ({ storage }) => {
    const parts = readerParts(storage.store)
    const id = await storeLog(storage.store, gate)
    parts.live.open(id, 0, 2).output.append(textOf(10))
    expect(await answer(parts, id, cursorAt(id, 4, { 's@1': 700 }))).toEqual([5, 6, 7, 8, 9, 10, 11, 's@2 0–10'])
  })

  test('a cursor beyond the end is refused', async ({ storage }) => {
    const lines = [...begun, ...Array.from({ length: 15 }, () => 'step.continued s@1'), 'workflow.cancelled']
    const id = await storeLog(storage.store, lines, { status: 'cancelled' })
    expect(lines).toHaveLength(20)
    await expect(answer(readerParts(storage.store), id, cursorAt(id, 21))).rejects.toMatchObject({
      code: 'invalid-cursor',
    })
  })

  test('a kept text is in its closing event, and every frame has a cursor that goes on right behind it', async ({
    storage,
  }) => {
    const parts = readerParts(storage.store)
    const id = await storeLog(storage.store, twice, { status: 'completed' })
    const { frames } = await (await openReader(parts, id)).read(1000)
    const events = seenEvents(frames)
    expect(events.filter((event) => event.type === 'step.completed').map((event) => event.output)).toEqual([
      textOf(1200),
      textOf(900),
    ])
    for (const [index, frame] of frames.entries()) {
      const rest = await readOn(await openReader(parts, id, frame.id))
      expect(rest.events).toEqual(events.slice(index + 1))
      expect(rest.done).toBe(true)
    }
  })
})
