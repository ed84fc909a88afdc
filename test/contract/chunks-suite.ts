import { describe, expect, it } from 'vitest'

import type { NewChunk, TextPlace } from '../../src/workflows/chunks.ts'
import type { AttemptRecord } from '../../src/workflows/store.ts'
import type { WorkflowState } from '../../src/workflows/workflow.ts'
import { testId } from '../support/database.ts'
import { change, event, firstClaim, moment } from './fixtures.ts'
import type { StoreBench } from './store-bench.ts'

const runner = { kind: 'runner', claim: firstClaim } as const

function attemptRow(status: AttemptRecord['status'], changes: Partial<AttemptRecord> = {}): AttemptRecord {
  const times = { startedAt: moment, endedAt: status === 'open' ? null : moment }
  return {
    stepIndex: 0,
    attempt: 1,
    status,
    ...times,
    endpoint: null,
    model: null,
    finishReason: null,
    error: null,
    ...changes,
  }
}

function placeIn({ id }: WorkflowState, stepIndex = 0): TextPlace {
  return { workflowId: id, stepIndex, attempt: 1 }
}

function chunk(place: TextPlace, from: number, text: string): NewChunk {
  return { ...place, claim: firstClaim, from, text }
}

/** How open texts get from one replica to another. */
export function describeChunks(bench: StoreBench): void {
  const chunks = () => bench.storage().chunks

  /** A workflow with an open attempt of its first two steps. */
  async function opened(): Promise<WorkflowState> {
    const before = await bench.claimed()
    const attempts = [attemptRow('open'), attemptRow('open', { stepIndex: 1 })]
    const open = change(before, {}, { guard: runner, attempts, events: [event(before.seq + 1, 'step.started')] })
    expect(await bench.storage().store.commit(open)).toBe(true)
    return open.state
  }
  const close = async (before: WorkflowState, attempts: readonly AttemptRecord[]) => {
    const closed = change(before, {}, { guard: runner, attempts })
    expect(await bench.storage().store.commit(closed)).toBe(true)
  }
  const stored = async ({ id }: WorkflowState) => {
    const text = 'SELECT step_index, text FROM agents.chunks WHERE workflow_id = $1 ORDER BY step_index, to_offset'
    const { rows } = await bench.database().query<{ step_index: number; text: string }>(text, [id])
    return rows.map((row) => `${row.step_index} ${row.text}`)
  }
  const readAll = async (place: TextPlace, length = 0) => {
    const page = await chunks().read([{ ...place, length }])
    return page.chunks.map(({ from, text }) => [from, text])
  }

  describe('announcements', () => {
    it('are known of the workflows asked for, as long as they are fresh', async () => {
      const [one, two, other] = [testId(), testId(), testId()]
      await chunks().announce([one, two])
      await chunks().announce([two, other])
      expect(new Set(await chunks().announced([one, two, testId()], 60_000))).toEqual(new Set([one, two]))
      expect(await chunks().announced([one, two], 0)).toEqual([])
      expect(await chunks().announced([], 60_000)).toEqual([])
    })

    it('are forgotten when they are old', async () => {
      const [old, fresh] = [testId(), testId()]
      await chunks().announce([old, fresh])
      const age = `UPDATE agents.announcements SET announced_at = announced_at - interval '2 minutes' WHERE workflow_id = $1`
      await bench.database().query(age, [old])
      await chunks().sweep()
      expect(await chunks().announced([old, fresh], 600_000)).toEqual([fresh])
    })
  })

  describe('chunks', () => {
    it('are read from any offset, the one around it included', async () => {
      const place = placeIn(await opened())
      await chunks().append([chunk(place, 0, 'one 😀 ')])
      await chunks().append([chunk(place, 7, 'two')])
      expect(await readAll(place)).toEqual([
        [0, 'one 😀 '],
        [7, 'two'],
      ])
      expect(await readAll(place, 3)).toHaveLength(2)
      expect(await readAll(place, 7)).toEqual([[7, 'two']])
      expect(await readAll(place, 10)).toEqual([])
    })

    it('of many texts are appended and read at once, each for itself', async () => {
      const [one, two] = [await opened(), await opened()]
      const places = [placeIn(one), placeIn(one, 1), placeIn(two)]
      const lengths = await chunks().append(places.map((place, n) => chunk(place, 0, 'x'.repeat(n + 1))))
      expect(new Set(lengths)).toEqual(new Set(places.map((place, n) => ({ ...place, length: n + 1 }))))
      const page = await chunks().read(places.map((place, n) => ({ ...place, length: n })))
      expect(page).toMatchObject({ chunks: places, closed: [], more: false })
    })

    it('that do not begin where their text ends are not written, and the end is told', async () => {
      const place = placeIn(await opened())
      await chunks().append([chunk(place, 0, 'four')])
      for (const from of [0, 3, 5]) {
        expect(await chunks().append([chunk(place, from, 'something')])).toEqual([{ ...place, length: 4 }])
      }
      expect(await readAll(place)).toEqual([[0, 'four']])
      expect(await chunks().append([chunk(placeIn(await opened()), 4, 'lost')])).toMatchObject([{ length: 0 }])
    })

    it('are written under the claim only, and refuse nobody else in the same statement', async () => {
      const [mine, lost] = [await opened(), await opened()]
      const deleted = { workflowId: testId(), stepIndex: 0, attempt: 1 }
      const written = await chunks().append([
        { ...chunk(placeIn(lost), 0, 'late'), claim: { activation: 1, retry: 1 } },
        chunk(deleted, 0, 'nobody'),
        chunk(placeIn(mine), 0, 'text'),
      ])
      expect(written).toEqual([{ ...placeIn(mine), length: 4 }])
      expect([await stored(mine), await stored(lost)]).toEqual([['0 text'], []])
    })

    it.each(['kept', 'void'] as const)('go with the change that closes their attempt as %s', async (status) => {
      const state = await opened()
      await chunks().append([chunk(placeIn(state), 0, 'gone'), chunk(placeIn(state, 1), 0, 'stays')])
      await close(state, [attemptRow(status)])
      expect(await stored(state)).toEqual(['1 stays'])
      expect(await chunks().append([chunk(placeIn(state), 0, 'late')])).toEqual([])
      expect(await chunks().read([{ ...placeIn(state), length: 0 }])).toMatchObject({ closed: [placeIn(state)] })
    })

    it('stay when the change is refused', async () => {
      const state = await opened()
      await chunks().append([chunk(placeIn(state), 0, 'stays')])
      const refused = change({ ...state, seq: state.seq - 1 }, {}, { guard: runner, attempts: [attemptRow('void')] })
      expect(await bench.storage().store.commit(refused)).toBe(false)
      expect(await stored(state)).toEqual(['0 stays'])
    })

    it('that came too late for their attempt are swept, and no others', async () => {
      const [state, other] = [await opened(), await opened()]
      await chunks().append([chunk(placeIn(other), 0, 'stays')])
      await close(state, [attemptRow('kept')])
      const late = 'INSERT INTO agents.chunks VALUES ($1, 0, 1, 0, 4, $2)'
      await bench.database().query(late, [state.id, 'late'])
      expect(await readAll(placeIn(state))).toEqual([])
      await chunks().sweep()
      expect([await stored(state), await stored(other)]).toEqual([[], ['0 stays']])
    })

    it('come in pages when there are many', async () => {
      const state = await opened()
      const many = `INSERT INTO agents.chunks SELECT $1, 0, 1, n, n + 1, 'x' FROM generate_series(0, 1499) AS n`
      await bench.database().query(many, [state.id])
      const first = await chunks().read([{ ...placeIn(state), length: 0 }])
      expect(first.more).toBe(true)
      const length = (first.chunks.at(-1)?.from ?? 0) + 1
      const second = await chunks().read([{ ...placeIn(state), length }])
      expect([second.more, length + second.chunks.length]).toEqual([false, 1500])
    })
  })
}
