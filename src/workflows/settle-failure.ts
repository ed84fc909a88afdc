import type { PreparedTask } from '../agents/agent.ts'
import { AppError } from '../errors.ts'
import type { Failure } from '../errors.ts'
import type { Target } from '../llm/model.ts'
import type { AttemptOutcome } from './attempt.ts'
import { judgeFailure } from './failure-policy.ts'
import type { TryCount, TryRules, Verdict } from './failure-policy.ts'
import { keepAnswer } from './keep-answer.ts'
import { passAfter, repairOf } from './pass.ts'
import type { Pass } from './pass.ts'
import { candidatesOf } from './run.ts'
import type { Run, StepRunnerParts } from './run.ts'
import type { Start } from './step-admission.ts'
import type { StepState } from './workflow.ts'

/** An attempt that came to nothing and is still open. */
export interface FailedAttempt {
  readonly outcome: Extract<AttemptOutcome, { kind: 'failed' }>
  readonly failure: Failure
  readonly prepared: PreparedTask | Error
  readonly start: Pick<Start, 'permit' | 'targets'>
}

/** Closes a failed attempt with what the policy says: another one, or the end of the step. What the next is to know. */
export async function settleFailure(parts: StepRunnerParts, run: Run, failed: FailedAttempt): Promise<Pass> {
  const { hold, index, limits, watch, pass } = run
  const { outcome, failure, prepared, start } = failed
  const { triesUsed, restarts } = hold.step(index)
  const count = { triesUsed, restarts, timeUsedMs: watch.elapsedMs() }
  const rules = { ...limits, ...rulesOf(parts, run, failed) }
  const verdict = judgeFailure(failure, count, rules)
  if (verdict.kind === 'fail') {
    await fail(parts, run, { ...failed, failure: { ...verdict.failure, attempts: triesUsed + 1 } })
    return pass
  }
  // a server that loads its model may be done with it at any moment
  const { wait } = rules.alternatives
  const readyInMs = wait ? 0 : parts.model.readyInMs({ targets: start.targets, isRetry: true })
  const delayMs = delayOf(verdict, readyInMs)
  await hold.change({
    happening: {
      type: 'step_retried',
      step: index,
      failure,
      delayMs,
      count: countAfter(verdict, count),
      carried: carriedOf(outcome),
    },
  })
  const { target } = start.permit
  return passAfter(verdict, pass, { target, failure, error: outcome.error, prepared })
}

function rulesOf(parts: StepRunnerParts, run: Run, { outcome, failure, start }: FailedAttempt) {
  const { model, promptRepair, retryDelayMs } = parts
  const { pass, hold, index } = run
  const { permit, targets } = start
  const left = targets.filter(({ endpoint }) => endpoint !== permit.target.endpoint && !pass.failed.has(endpoint))
  const readyInMs = (target: Target) => model.readyInMs(candidatesOf(run, [target]))
  const wait = outcome.error instanceof AppError && outcome.error.details.uncounted === true
  const { triesUsed } = hold.step(index)
  // what this server asked for, unless another one may be called earlier
  const others = targets.filter(({ endpoint }) => endpoint !== permit.target.endpoint)
  const askedMs = Math.min(retryAfterOf(outcome.error), ...others.map(readyInMs))
  const delayMs = Math.max(retryDelayMs(triesUsed + 1), askedMs)
  const alternatives = {
    endpoint: left.some((target) => readyInMs(target) === 0),
    repair: failure.code === 'task_timeout' ? null : repairOf(outcome.error, pass, promptRepair),
    wait,
  }
  return { delayMs, alternatives, earlier: pass.failure } satisfies Partial<TryRules>
}

function retryAfterOf(error: unknown): number {
  return (error instanceof AppError ? error.details.retryAfterMs : undefined) ?? 0
}

/** A wait for a breaker is waited for, however long; only one that a server asked for may be too long to be worth it. */
function delayOf(verdict: Exclude<Verdict, { kind: 'fail' }>, readyInMs: number): number {
  return verdict.kind === 'retry' || verdict.kind === 'restart' ? Math.max(verdict.delayMs, readyInMs) : 0
}

function countAfter(verdict: Verdict, count: TryCount): TryCount {
  if (verdict.kind === 'restart') return { triesUsed: 0, timeUsedMs: 0, restarts: count.restarts + 1 }
  const counts = verdict.kind === 'retry' && verdict.counts
  return { ...count, triesUsed: count.triesUsed + (counts ? 1 : 0) }
}

/** Whole calls were paid for and delivered: with no try left they are an incomplete result, not nothing. */
async function fail(parts: StepRunnerParts, run: Run, { outcome, failure, start }: FailedAttempt): Promise<void> {
  const { hold, index } = run
  if (outcome.carried.length === 0) {
    await hold.change({ happening: { type: 'step_failed', step: index, failure } })
  } else {
    const { text } = outcome
    const { model } = start.permit.target
    await keepAnswer(parts, { hold, index }, { text, finishReason: 'length', model, error: failure, settled: [] })
  }
}

function carriedOf({
  text,
  carried,
}: FailedAttempt['outcome']): Pick<StepState, 'carriedText' | 'carriedContinuations'> {
  return carried.length === 0
    ? { carriedText: null, carriedContinuations: 0 }
    : { carriedText: text.slice(0, carried.length), carriedContinuations: carried.continuations }
}
