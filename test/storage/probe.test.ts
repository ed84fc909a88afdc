import { describe, expect, it, vi } from 'vitest'

import type { Queryable } from '../../src/storage/database.ts'
import { createProbe } from '../../src/storage/probe.ts'

function databaseThat(answers: () => Promise<number>): Queryable {
  const query = async () => ({ rows: [{ now: await answers() }], rowCount: 1 })
  return { query: query as Queryable['query'] }
}

describe('the probe', () => {
  it('takes the time from the database where that has a clock of its own', async () => {
    const hourMs = 3_600_000
    const database = databaseThat(() => Promise.resolve(Date.now() + hourMs))
    const remote = createProbe(database, { ownClock: true })
    await remote.ask()
    expect(Math.abs(remote.clock.now() - Date.now() - hourMs)).toBeLessThan(1000)
    const embedded = createProbe(database, { ownClock: false })
    await embedded.ask()
    expect(Math.abs(embedded.clock.now() - Date.now())).toBeLessThan(1000)
  })

  it('is not ok before the first answer, after a failure, and while an answer does not come', async () => {
    const answers: (() => Promise<number>)[] = []
    const never = Promise.withResolvers<number>().promise
    const database = databaseThat(() => (answers.shift() ?? (() => never))())
    const probe = createProbe(database, { ownClock: false, intervalMs: 5, patienceMs: 20 })
    expect(probe.state()).toEqual({ ok: false, detail: 'not open yet' })
    answers.push(() => Promise.resolve(1))
    await probe.ask()
    expect(probe.state()).toEqual({ ok: true, detail: 'ok' })
    answers.push(() => Promise.reject(new Error('gone')))
    await expect(probe.ask()).rejects.toThrow('gone')
    expect(probe.state()).toEqual({ ok: false, detail: 'gone' })
    answers.push(() => Promise.resolve(2))
    probe.start()
    await vi.waitUntil(() => probe.state().ok, { interval: 1 })
    await vi.waitUntil(() => probe.state().detail === 'does not answer')
    probe.stop()
    expect(probe.state().ok).toBe(false)
  })
})
