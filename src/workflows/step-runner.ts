import { setTimeout as sleep } from 'node:timers/promises'
import type { AgentTask, Agents } from '../agents/agent.ts'
import type { Failure } from '../errors.ts'
import type { Model, Permit, Target } from '../llm/model.ts'
import { withTraceIds } from '../trace-context.ts'
import { makeAttempt } from './attempt.ts'
import type { AttemptOutcome, AttemptParts } from './attempt.ts'
import { toFailure } from './failure.ts'
import { judgeFailure } from './failure-policy.ts'
import type { TryLimits } from './failure-policy.ts'
import type { HeldWorkflow } from './held-workflow.ts'
import { keepAnswer } from './keep-answer.ts'
import { gatherTask } from './materials.ts'
import type { Place, Places } from './places.ts'
import type { Clock } from './queue.ts'
import { createStopwatch } from './stopwatch.ts'
import type { Stopwatch } from './stopwatch.ts'
import type { StepState } from './workflow.ts'

export interface StepRunnerParts extends AttemptParts {
  readonly agents: Agents
  readonly model: Model
  readonly places: Places
  readonly clock: Clock
  readonly limits: TryLimits
  /** Wait before the next try, given the tries used with it and what the server asked for. */
  readonly retryDelayMs: (tries: number, retryAfterMs: number | undefined) => number
  /** Told of every error that is a defect of the service. */
  readonly reportDefect: (error: unknown) => void
  /** Aborted when no step may start any more. */
  readonly draining: AbortSignal
}

/** A step on its way, with the time that its current start has taken. */
interface Run {
  readonly hold: HeldWorkflow
  readonly index: number
  readonly watch: Stopwatch
  readonly limits: TryLimits
  /** Name of what set the time that one start may take. */
  readonly limitedBy: 'TASK_TIMEOUT' | 'options.timeout_seconds'
  /** Aborted when its time is up, when it may not start any more, or when the workflow is no longer held. */
  readonly waiting: AbortSignal
}

/** Runs a queued step, try after try, until it has ended or is no longer ours to run. Never rejects. */
export async function runStep(parts: StepRunnerParts, hold: HeldWorkflow, index: number): Promise<void> {
  const { taskId, definition } = hold.step(index)
  await withTraceIds({ taskId, agentId: definition.role }, async () => {
    while (hold.step(index).status === 'queued' && !hold.over.aborted && !parts.draining.aborted) {
      try {
        await runOnce(parts, hold, index)
      } catch (error) {
        if (hold.over.aborted || parts.draining.aborted || parts.abandoned.aborted) return
        parts.reportDefect(error)
        await failByDefect(parts, { hold, index, error })
      }
    }
  })
}

/** When not even this can be stored, the workflow is let go of and taken again by whoever comes next. */
async function failByDefect(
  { reportDefect }: StepRunnerParts,
  { hold, index, error }: { readonly hold: HeldWorkflow; readonly index: number; readonly error: unknown },
): Promise<void> {
  try {
    await hold.change({ happening: { type: 'step_failed', step: index, failure: toFailure(error) } })
  } catch (again) {
    reportDefect(again)
    hold.abandon()
  }
}

async function runOnce(parts: StepRunnerParts, hold: HeldWorkflow, index: number): Promise<void> {
  const { definition, timeUsedMs } = hold.step(index)
  const asked = definition.options.timeoutMs ?? hold.state().options.timeoutMs
  const timeoutMs = asked ?? parts.limits.timeoutMs
  const limits = { ...parts.limits, timeoutMs }
  const limitedBy = asked === undefined ? 'TASK_TIMEOUT' : 'options.timeout_seconds'
  const watch = createStopwatch(timeUsedMs, timeoutMs)
  const waiting = AbortSignal.any([watch.timeUp, hold.over, parts.draining])
  const run: Run = { hold, index, watch, limits, limitedBy, waiting }
  try {
    const start = await admit(parts, run)
    if (start === null) return
    try {
      const task = await gatherTask(parts, { hold, index, target: start.target })
      if (!parts.draining.aborted) await attempt(parts, run, { ...start, task })
    } finally {
      start.permit.release()
      start.place.release()
    }
  } finally {
    watch.pause()
  }
}

interface Start {
  readonly target: Target
  readonly place: Place
  readonly permit: Permit
}

/** Waits until the step may be tried: its not-before time, the breaker, a place. null: it may not any more. */
async function admit(parts: StepRunnerParts, run: Run): Promise<Start | null> {
  const { hold, index, watch, waiting } = run
  const { definition, notBefore } = hold.step(index)
  const { id, priority, createdAt, options } = hold.state()
  let target: Target | null = null
  try {
    watch.start()
    const wanted = definition.options.model ?? options.model ?? parts.agents.profile(definition.role)?.model ?? null
    target = await parts.model.target(wanted, waiting)
    if (notBefore !== null) await sleep(Math.max(0, notBefore - parts.clock.now()), undefined, { signal: waiting })
    for (;;) {
      await parts.model.whenReady(target, waiting)
      watch.pause()
      const turn = AbortSignal.any([hold.over, parts.draining])
      const place = await parts.places.acquire({ workflowId: id, priority, createdAt }, turn)
      watch.start()
      const permit = parts.model.admit(target)
      if (permit !== null) return { target, place, permit }
      place.release()
    }
  } catch (error) {
    if (hold.over.aborted || parts.draining.aborted) return null
    if (!watch.timeUp.aborted) throw error
    await failWaiting(parts, run, target)
    return null
  }
}

/** Its time ran out while it could not be tried: a new start would wait as long. */
async function failWaiting(parts: StepRunnerParts, run: Run, target: Target | null): Promise<void> {
  const refusal = target === null ? null : parts.model.refusal(target)
  const failure = refusal === null ? timedOut(run) : toFailure(refusal)
  const message = refusal === null ? failure.message : `${failure.message} ${timedOut(run).message}`
  await run.hold.change({ happening: { type: 'step_failed', step: run.index, failure: { ...failure, message } } })
}

async function attempt(
  parts: StepRunnerParts,
  run: Run,
  { target, permit, task }: Start & { readonly task: AgentTask },
): Promise<void> {
  const { hold, index, watch } = run
  const signal = AbortSignal.any([watch.timeUp, hold.over])
  const outcome = await makeAttempt(parts, { hold, index, task, permit, signal })
  watch.pause()
  // Calls that were cut because the process ends are nobody's failure: the next one starts the step again.
  if (outcome.kind === 'settled' || hold.over.aborted || parts.abandoned.aborted) return
  const failure = watch.timeUp.aborted ? timedOut(run) : toFailure(outcome.error)
  if (failure.code === 'internal') parts.reportDefect(outcome.error)
  await settleFailure(parts, run, { outcome, failure, target })
}

function timedOut({ limits, limitedBy }: Run): Failure {
  const seconds = Number((limits.timeoutMs / 1000).toPrecision(3))
  return { code: 'task_timeout', message: `The step took longer than ${seconds} s (${limitedBy}).`, retryable: true }
}

interface FailedTry {
  readonly outcome: Extract<AttemptOutcome, { kind: 'failed' }>
  readonly failure: Failure
  readonly target: Target
}

async function settleFailure(parts: StepRunnerParts, run: Run, tried: FailedTry): Promise<void> {
  const { hold, index, limits, watch } = run
  const { outcome, failure, target } = tried
  const { triesUsed, restarts } = hold.step(index)
  const retryAfterMs = retryAfterOf(outcome.error)
  const delayMs = parts.retryDelayMs(triesUsed + 1, retryAfterMs)
  const count = { triesUsed, restarts, timeUsedMs: watch.elapsedMs() }
  const verdict = judgeFailure(failure, count, { ...limits, delayMs })
  if (verdict.kind === 'fail') return fail(parts, run, { ...tried, failure: { ...failure, attempts: triesUsed + 1 } })
  const next =
    verdict.kind === 'restart'
      ? { triesUsed: 0, timeUsedMs: 0, restarts: restarts + 1 }
      : { ...count, triesUsed: triesUsed + (failure.code === 'circuit_open' ? 0 : 1) }
  await hold.change({
    happening: {
      type: 'step_retried',
      step: index,
      failure,
      delayMs: Math.max(verdict.delayMs, parts.model.readyInMs(target)),
      count: next,
      carried: carriedOf(outcome),
    },
  })
}

/** Whole calls were paid for and delivered: with no try left they are an incomplete result, not nothing. */
async function fail(parts: StepRunnerParts, run: Run, { outcome, failure, target }: FailedTry): Promise<void> {
  const { hold, index } = run
  if (outcome.carried.length === 0) {
    await hold.change({ happening: { type: 'step_failed', step: index, failure } })
  } else {
    const { text } = outcome
    await keepAnswer(parts, { hold, index }, { text, finishReason: 'length', model: target.model, error: failure })
  }
}

function carriedOf({ text, carried }: FailedTry['outcome']): Pick<StepState, 'carriedText' | 'carriedContinuations'> {
  return carried.length === 0
    ? { carriedText: null, carriedContinuations: 0 }
    : { carriedText: text.slice(0, carried.length), carriedContinuations: carried.continuations }
}

function retryAfterOf(error: unknown): number | undefined {
  const details = (error as { details?: { retryAfterMs?: number } } | null)?.details
  return details?.retryAfterMs
}
