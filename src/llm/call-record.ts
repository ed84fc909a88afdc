import type { AppError, FailureCode } from '../errors.ts'
import type { Answer } from './answer.ts'
import type { BreakerPass } from './breaker.ts'
import type { Loan } from './client-pool.ts'
import type { Clock } from './clock.ts'
import { blamesService } from './failures.ts'
import type { LlmEvent, Target, TokenUsage } from './model.ts'
import { readUsage } from './token-usage.ts'

/** Tells everybody, once each, how one call goes: observer, breaker, pool. */
export interface CallRecord {
  firstToken(): void
  succeeded(usage: TokenUsage): void
  /** `answer`: what had come of it. */
  failed(failure: AppError, answer: Answer | null): void
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
  /** Learns from a failure before anybody else may call. */
  readonly heed: (failure: AppError) => void
}

/** Starts the record of a call that is about to be sent. */
export function startCallRecord(target: Target, promptTokens: number, parts: CallRecordParts): CallRecord {
  const { clock, observe, permit, loan, count } = parts
  const { endpoint, model } = target
  const startedAt = clock.now()
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
    settle()
  }
  const usageSoFar = (answer: Answer | null): TokenUsage | null => {
    if (answer === null || (answer.tokens === 0 && answer.reportedUsage() === null)) return null
    return readUsage(answer.reportedUsage(), () => ({ inputTokens: promptTokens, ...answer.estimate() }))
  }

  return {
    firstToken: () => {
      firstTokenMs = clock.now() - startedAt
      permit.reachedFirstToken()
    },
    succeeded: (usage) =>
      once(() => {
        permit.settle('success')
        loan.end('success')
        count(true)
        end('success', { usage })
      }),
    failed: (failure, answer) =>
      once(() => {
        const blamed = blamesService(failure)
        parts.heed(failure)
        permit.settle(blamed ? 'failure' : 'neutral')
        loan.end(blamed ? 'fault' : 'failure')
        count(false)
        const { status } = failure.details
        const about = { usage: usageSoFar(answer), message: failure.message }
        end(failure.code as FailureCode, status === undefined ? about : { ...about, status })
      }),
    aborted: (answer) =>
      once(() => {
        permit.settle('neutral')
        loan.end('none')
        end('aborted', { usage: usageSoFar(answer) })
      }),
  }
}
