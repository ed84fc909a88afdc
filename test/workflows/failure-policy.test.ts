import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { FailureCode } from '../../src/errors.ts'
import { judgeFailure } from '../../src/workflows/failure-policy.ts'
import type { Alternatives, TryCount, TryRules, Verdict } from '../../src/workflows/failure-policy.ts'
import { failure } from './workflow-states.ts'

const limits = { maxRetries: 3, maxRestarts: 2, timeoutMs: 60_000 }
const fresh: TryCount = { triesUsed: 0, timeUsedMs: 0, restarts: 0 }
const nothingElse = { endpoint: false, repair: null, wait: false } as const

interface Row {
  readonly when: string
  readonly code?: FailureCode
  readonly retryable?: boolean
  readonly count?: Partial<TryCount>
  readonly status?: number
  readonly delayMs?: number
  readonly alternatives?: Partial<Alternatives>
  /** Code of an earlier failure of the same try. */
  readonly earlier?: FailureCode
  readonly verdict: Verdict | Pick<Verdict, 'kind'>
}

const rows: readonly Row[] = [
  { when: 'a first try failed', verdict: { kind: 'retry', delayMs: 1000, counts: true } },
  { when: 'the last retry is left', count: { triesUsed: 2 }, verdict: { kind: 'retry', delayMs: 1000, counts: true } },
  { when: 'no try is left', count: { triesUsed: 3 }, verdict: { kind: 'fail' } },
  { when: 'no try is left, however many starts are', count: { triesUsed: 3, restarts: 0 }, verdict: { kind: 'fail' } },
  { when: 'it would not help', retryable: false, verdict: { kind: 'fail' } },
  {
    when: 'the wait just fits',
    count: { timeUsedMs: 58_999 },
    verdict: { kind: 'retry', delayMs: 1000, counts: true },
  },
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
    verdict: { kind: 'fail' },
  },
  { when: 'the server asks for more than any start has', delayMs: 60_000, verdict: { kind: 'fail' } },
  { when: 'its time is up', code: 'task_timeout', verdict: { kind: 'restart', delayMs: 0 } },
  {
    when: 'its time is up, tries or not',
    code: 'task_timeout',
    count: { triesUsed: 3 },
    verdict: { kind: 'restart', delayMs: 0 },
  },
  { when: 'its time is up for the last time', code: 'task_timeout', count: { restarts: 2 }, verdict: { kind: 'fail' } },
  {
    when: 'its time is up, and is shorter than any backoff',
    code: 'task_timeout',
    delayMs: 90_000,
    verdict: { kind: 'restart', delayMs: 0 },
  },
  { when: 'the breaker closed its door', code: 'circuit_open', verdict: { kind: 'retry', delayMs: 0, counts: false } },
  {
    when: 'the breaker closed its door, which uses no try',
    code: 'circuit_open',
    count: { triesUsed: 3 },
    verdict: { kind: 'retry', delayMs: 0, counts: false },
  },
  { when: 'another endpoint can be asked', alternatives: { endpoint: true }, verdict: { kind: 'next_endpoint' } },
  {
    when: 'another endpoint can be asked, on the last try',
    count: { triesUsed: 3 },
    alternatives: { endpoint: true },
    verdict: { kind: 'next_endpoint' },
  },
  ...(['llm_unauthorized', 'quota_exhausted', 'llm_unreachable'] as const).map((code) => ({
    when: `${code} is only this endpoint’s`,
    code,
    retryable: false,
    alternatives: { endpoint: true },
    verdict: { kind: 'next_endpoint' } as const,
  })),
  {
    when: 'the model is not at this endpoint',
    code: 'llm_rejected',
    retryable: false,
    status: 404,
    alternatives: { endpoint: true },
    verdict: { kind: 'next_endpoint' },
  },
  ...([400, 413, 422] as const).map((status) => ({
    when: `${status} is wrong everywhere`,
    code: 'llm_rejected' as const,
    retryable: false,
    status,
    alternatives: { endpoint: true },
    verdict: { kind: 'fail' } as const,
  })),
  ...(['content_filtered', 'context_overflow', 'response_too_large'] as const).map((code) => ({
    when: `${code} is wrong everywhere`,
    code,
    retryable: false,
    alternatives: { endpoint: true },
    verdict: { kind: 'fail' } as const,
  })),
  {
    when: 'no endpoint is left, and an earlier one may be better next time',
    code: 'llm_unauthorized',
    retryable: false,
    earlier: 'llm_error',
    verdict: { kind: 'retry', delayMs: 1000, counts: true },
  },
  {
    when: 'the same, without a try left: the earlier one says why',
    code: 'llm_unauthorized',
    retryable: false,
    count: { triesUsed: 3 },
    earlier: 'llm_error',
    verdict: { kind: 'fail', failure: failure('llm_error') },
  },
  {
    when: 'the prompt can be cut',
    code: 'context_overflow',
    retryable: false,
    alternatives: { repair: 'shorter_prompt' },
    verdict: { kind: 'shorter_prompt' },
  },
  {
    when: 'the model is loading',
    count: { triesUsed: 3 },
    alternatives: { wait: true },
    verdict: { kind: 'retry', delayMs: 1000, counts: false },
  },
  {
    when: 'the model is loading, and another endpoint is not',
    alternatives: { wait: true, endpoint: true },
    verdict: { kind: 'next_endpoint' },
  },
]

describe('what happens after a failed try', () => {
  test.each(rows)('$when: $verdict.kind', (row) => {
    const { code = 'llm_error', retryable = true, status, count, delayMs = 1000, alternatives, earlier, verdict } = row
    const rules: TryRules = {
      ...limits,
      delayMs,
      alternatives: { ...nothingElse, ...alternatives },
      earlier: earlier === undefined ? null : failure(earlier),
    }
    const given = failure(code, { retryable, ...(status === undefined ? {} : { status }) })
    expect(judgeFailure(given, { ...fresh, ...count }, rules)).toMatchObject(verdict)
  })

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
          const rules = { ...limits, delayMs, alternatives: nothingElse, earlier: null }
          const verdict = judgeFailure(failure(code), { ...count, timeUsedMs }, rules)
          if (verdict.kind !== 'retry' && verdict.kind !== 'restart') break
          if (verdict.kind === 'restart') count = { ...fresh, restarts: count.restarts + 1 }
          else count = { ...count, triesUsed: count.triesUsed + 1, timeUsedMs: timeUsedMs + verdict.delayMs }
          expect(count.timeUsedMs).toBeLessThan(limits.timeoutMs)
        }
        expect(tries).toBeLessThanOrEqual((1 + limits.maxRetries) * (1 + limits.maxRestarts))
      }),
    )
  })
})
