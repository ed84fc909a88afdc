import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { FailureCode } from '../../src/errors.ts'
import { judgeFailure } from '../../src/workflows/failure-policy.ts'
import type { TryCount, Verdict } from '../../src/workflows/failure-policy.ts'
import { failure } from './workflow-states.ts'

const limits = { maxRetries: 3, maxRestarts: 2, timeoutMs: 60_000 }
const fresh: TryCount = { triesUsed: 0, timeUsedMs: 0, restarts: 0 }
const failed = { kind: 'fail' } as const

interface Row {
  readonly when: string
  readonly code?: FailureCode
  readonly retryable?: boolean
  readonly count?: Partial<TryCount>
  readonly delayMs?: number
  readonly verdict: Verdict
}

const rows: readonly Row[] = [
  { when: 'a first try failed', verdict: { kind: 'retry', delayMs: 1000 } },
  { when: 'the last retry is left', count: { triesUsed: 2 }, verdict: { kind: 'retry', delayMs: 1000 } },
  { when: 'no try is left', count: { triesUsed: 3 }, verdict: failed },
  { when: 'no try is left, however many starts are', count: { triesUsed: 3, restarts: 0 }, verdict: failed },
  { when: 'it would not help', retryable: false, verdict: failed },
  { when: 'the wait just fits', count: { timeUsedMs: 58_999 }, verdict: { kind: 'retry', delayMs: 1000 } },
  {
    when: 'the wait ends with the time of this start',
    count: { timeUsedMs: 59_000 },
    verdict: { kind: 'restart', delayMs: 1000 },
  },
  {
    when: 'the server asks for more than is left of this start',
    count: { timeUsedMs: 30_000 },
    delayMs: 40_000,
    verdict: { kind: 'restart', delayMs: 40_000 },
  },
  {
    when: 'the same, without a start left',
    count: { timeUsedMs: 30_000, restarts: 2 },
    delayMs: 40_000,
    verdict: failed,
  },
  { when: 'the server asks for more than any start has', delayMs: 60_000, verdict: failed },
  { when: 'its time is up', code: 'task_timeout', verdict: { kind: 'restart', delayMs: 0 } },
  {
    when: 'its time is up, tries or not',
    code: 'task_timeout',
    count: { triesUsed: 3 },
    verdict: { kind: 'restart', delayMs: 0 },
  },
  { when: 'its time is up for the last time', code: 'task_timeout', count: { restarts: 2 }, verdict: failed },
  {
    when: 'its time is up, and is shorter than any backoff',
    code: 'task_timeout',
    delayMs: 90_000,
    verdict: { kind: 'restart', delayMs: 0 },
  },
  { when: 'the breaker closed its door', code: 'circuit_open', verdict: { kind: 'retry', delayMs: 0 } },
  {
    when: 'the breaker closed its door, which uses no try',
    code: 'circuit_open',
    count: { triesUsed: 3 },
    verdict: { kind: 'retry', delayMs: 0 },
  },
]

describe('what happens after a failed try', () => {
  test.each(rows)(
    '$when: $verdict.kind',
    ({ code = 'llm_error', retryable = true, count, delayMs = 1000, verdict }) => {
      expect(judgeFailure(failure(code, { retryable }), { ...fresh, ...count }, { ...limits, delayMs })).toEqual(
        verdict,
      )
    },
  )

  test('comes to an end, whatever fails and however long it takes', () => {
    const mishap = fc.record({
      code: fc.constantFrom<FailureCode>('llm_error', 'llm_timeout', 'task_timeout', 'llm_rate_limited'),
      tookMs: fc.nat(70_000),
      delayMs: fc.nat(70_000),
    })
    fc.assert(
      fc.property(fc.infiniteStream(mishap), (mishaps) => {
        let count = fresh
        let tries = 0
        for (const { code, tookMs, delayMs } of mishaps) {
          tries += 1
          const timeUsedMs = Math.min(limits.timeoutMs, count.timeUsedMs + tookMs)
          const verdict = judgeFailure(failure(code), { ...count, timeUsedMs }, { ...limits, delayMs })
          if (verdict.kind === 'fail') break
          if (verdict.kind === 'restart') count = { ...fresh, restarts: count.restarts + 1 }
          else count = { ...count, triesUsed: count.triesUsed + 1, timeUsedMs: timeUsedMs + verdict.delayMs }
          expect(count.timeUsedMs).toBeLessThan(limits.timeoutMs)
        }
        expect(tries).toBeLessThanOrEqual((1 + limits.maxRetries) * (1 + limits.maxRestarts))
      }),
    )
  })
})
