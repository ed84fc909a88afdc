import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { createRecentChanges } from '../../src/workflows/recent-changes.ts'
import type { CommittedHere } from '../../src/workflows/recent-changes.ts'
import { event } from '../contract/fixtures.ts'

/** A change with the events from `first` to `last`. */
function committed(first: number, last: number, more: Partial<CommittedHere> = {}): CommittedHere {
  const events = Array.from({ length: last - first + 1 }, (_, n) => event(first + n, 'step.queued'))
  return { status: 'running', events, texts: [], ...more }
}

const open = { upTo: 0, limit: 100 }

describe.concurrent('recent changes', () => {
  test('know nothing at first', () => {
    const recent = createRecentChanges()
    expect(recent.eventsAfter(0, open)).toBeNull()
    expect(recent.text(0, 1)).toBeNull()
  })

  test('give the events after a number, a page at a time, with status and number of now', () => {
    const recent = createRecentChanges()
    recent.add(committed(4, 5))
    recent.add(committed(6, 6, { status: 'completed' }))
    const page = recent.eventsAfter(4, { upTo: 6, limit: 1 })
    expect(page).toEqual({ status: 'completed', seq: 6, events: [event(5, 'step.queued')] })
    expect(recent.eventsAfter(5, { upTo: 6, limit: 9 })?.events).toEqual([event(6, 'step.queued')])
  })

  test('know nothing of what was before them, and nothing of what is after them', () => {
    const recent = createRecentChanges()
    recent.add(committed(4, 6))
    expect(recent.eventsAfter(2, open)).toBeNull()
    expect(recent.eventsAfter(3, open)?.events).toHaveLength(3)
    expect(recent.eventsAfter(6, open)).toBeNull()
    expect(recent.eventsAfter(4, { upTo: 7, limit: 100 })).toBeNull()
  })

  test('begin anew after a gap, and after one that is told late', () => {
    const recent = createRecentChanges()
    recent.add(committed(1, 2))
    recent.add(committed(4, 4))
    expect(recent.eventsAfter(1, { upTo: 4, limit: 100 })).toBeNull()
    expect(recent.eventsAfter(3, { upTo: 4, limit: 100 })?.events).toHaveLength(1)
    recent.add(committed(3, 3))
    expect(recent.eventsAfter(2, { upTo: 4, limit: 100 })).toBeNull()
    recent.add(committed(5, 5))
    expect(recent.eventsAfter(4, { upTo: 5, limit: 100 })?.events).toHaveLength(1)
    expect(recent.eventsAfter(2, { upTo: 5, limit: 100 })).toBeNull()
  })

  test('keep the status of the last event when a change without events is told after it', () => {
    const recent = createRecentChanges()
    recent.add(committed(1, 2, { status: 'cancelled' }))
    recent.add({ status: 'running', events: [], texts: [] })
    expect(recent.eventsAfter(0, open)?.status).toBe('cancelled')
  })

  test('keep the last texts, and as many events as are worth it', () => {
    const recent = createRecentChanges()
    for (let n = 1; n <= 300; n += 1) {
      recent.add(committed(n, n, { texts: [{ stepIndex: n, attempt: 1, text: `text ${n}` }] }))
    }
    expect(recent.text(300, 1)).toBe('text 300')
    expect(recent.text(300, 2)).toBeNull()
    expect(recent.text(200, 1)).toBeNull()
    expect(recent.eventsAfter(20, open)).toBeNull()
    expect(recent.eventsAfter(100, { upTo: 300, limit: 1000 })?.events).toHaveLength(200)
  })

  test('never leave an event out, in whatever order changes are told', () => {
    const lengths = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 12 })
    const shuffled = lengths.chain((sizes) => {
      const starts = sizes.map((_, n) => sizes.slice(0, n).reduce((sum, size) => sum + size, 1))
      const changes = sizes.map((size, n) => committed(starts[n] ?? 1, (starts[n] ?? 1) + size - 1))
      return fc.shuffledSubarray(changes)
    })
    fc.assert(
      fc.property(shuffled, fc.nat(12), fc.integer({ min: 1, max: 5 }), (changes, seq, limit) => {
        const recent = createRecentChanges()
        let known = 0
        for (const change of changes) {
          recent.add(change)
          known = Math.max(known, change.events.at(-1)?.seq ?? 0)
          const page = recent.eventsAfter(seq, { upTo: known, limit })
          if (page === null) continue
          const count = Math.min(limit, known - seq)
          expect(page.seq).toBe(known)
          expect(page.events.map((one) => one.seq)).toEqual(Array.from({ length: count }, (_, n) => seq + 1 + n))
        }
      }),
    )
  })
})
