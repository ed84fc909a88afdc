import { AsyncLocalStorage } from 'node:async_hooks'
import type { AppError, FailureCode } from '../errors.ts'
import type { Answer } from './answer.ts'
import type { BreakerPass } from './breaker.ts'
import type { Loan } from './client-pool.ts'
import type { Clock } from './clock.ts'
import { blamesService } from './failures.ts'
import type { LlmEvent, ModelRequest, TokenUsage } from './model.ts'
import type { Heed } from './heed.ts'
import { readUsage } from './token-usage.ts'

/** Tells everybody, once each, how one call goes: observer, breaker, pool. */
export interface CallRecord {
  firstToken(): void
  succeeded(usage: TokenUsage): void
  /** `answer`: what had come of it. Gives back the failure as the caller is to see it. */
  failed(failure: AppError, answer: Answer | null): AppError
  /** Given up by its caller. Does nothing after one of the others. */
  aborted(answer: Answer | null): void
}

export interface CallRecordParts {
  readonly clock: Clock
  readonly observe: (event: LlmEvent) => void
  readonly permit: BreakerPass
  readonly loan: Loan
  /** For the success rate; aborted calls do not count. */
  readonly count: (success: boolean) => void
  readonly heed: Heed
}

/** Starts the record of a call that is about to be sent. */
export function startCallRecord(request: ModelRequest, parts: CallRecordParts): CallRecord {
  const { clock, observe, permit, loan, count, heed } = parts
  const { endpoint, model } = request.target
  const startedAt = clock.now()
  // an answer comes in the context of whoever opened its connection: perhaps another call
  const inContext = AsyncLocalStorage.snapshot()
  let firstTokenMs: number | null = null
  let ended = false
  observe({ type: 'llm.call_started', endpoint, model })

  const end = (
    outcome: 'success' | 'aborted' | FailureCode,
    about: { readonly usage: TokenUsage | null; readonly status?: number; readonly message?: string },
  ): void => {
    const durationMs = clock.now() - startedAt
    observe({ type: 'llm.call_ended', endpoint, model, outcome, durationMs, firstTokenMs, ...about })
  }
  const once = (settle: () => void): void => {
    if (ended) return
    ended = true
    inContext(settle)
  }
  const usageSoFar = (answer: Answer | null): TokenUsage | null => {
    if (answer === null || (answer.tokens === 0 && answer.reportedUsage() === null)) return null
    return readUsage(answer.reportedUsage(), () => ({ inputTokens: request.inputTokens, ...answer.estimate() }))
  }

  return {
    firstToken: () => {
      firstTokenMs = clock.now() - startedAt
      inContext(() => permit.reachedFirstToken())
    },
    succeeded: (usage) =>
      once(() => {
        heed.success(request, usage)
        permit.settle('success')
        loan.end('success', clock.now() - startedAt)
        count(true)
        end('success', { usage })
      }),
    failed: (failure, answer) => {
      let seen = failure
      once(() => {
        const blamed = blamesService(failure)
        seen = heed.failure(request, failure)
        permit.settle(blamed ? 'failure' : 'neutral')
        loan.end(blamed ? 'fault' : 'failure')
        count(false)
        const { status } = failure.details
        const about = { usage: usageSoFar(answer), message: failure.message }
        end(failure.code as FailureCode, status === undefined ? about : { ...about, status })
      })
      return seen
    },
    aborted: (answer) =>
      once(() => {
        permit.settle('neutral')
        loan.end('none')
        end('aborted', { usage: usageSoFar(answer) })
      }),
  }
}
