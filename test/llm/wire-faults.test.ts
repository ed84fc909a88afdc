import { describe, expect } from 'vitest'
import { overflowRows, type Row, statusRows } from './http-fault-rows.ts'
import { plainRows, streamRows } from './stream-fault-rows.ts'
import { type Bench, type Outcome, test } from './llm-fixture.ts'

function expectFailure(row: Row, { failure, events }: Outcome): void {
  const { code, retryable, status, retryAfterMs, message = /./ } = row
  const told = Object.entries({ status, retryAfterMs }).filter(([, value]) => value !== undefined)
  const details = { retryable, endpoint: 'default', ...Object.fromEntries(told) }
  expect(failure).toMatchObject({ name: 'AppError', code, details })
  expect(failure?.message).toMatch(typeof message === 'string' ? new RegExp(`^${RegExp.escape(message)}$`) : message)
  expect(failure?.message.length).toBeLessThan(300)
  expect(failure?.message).not.toContain('canary')
  expect(events.some(({ type }) => type === 'end')).toBe(false)
}

function expectToldOnce({ code }: Row, bench: Bench, { failure }: Outcome): void {
  expect(bench.ends()).toHaveLength(1)
  expect(bench.ends()[0]).toMatchObject({ outcome: code, message: failure?.message })
  expect(bench.server.calls).toHaveLength(1)
  const endpoints = [{ inFlight: 0, failures: 1 }]
  expect(bench.client.status()).toMatchObject({ requestCount: 1, successRate: 0, endpoints })
}

const groups = { 'error status': statusRows, overflow: overflowRows, stream: streamRows, 'without a stream': plainRows }
describe.for(Object.entries(groups))('%s', ([, rows]) => {
  test.for(rows)('$name', async (row, { openBench }) => {
    const bench = await openBench({ answer: () => row.answer }, { maxResponseBytes: 500_000 })
    const outcome = await bench.call({ stream: row.stream ?? true })
    expectFailure(row, outcome)
    expectToldOnce(row, bench, outcome)
  })
})
