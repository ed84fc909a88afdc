import type { Agents } from '../agents/agent.ts'
import type { Failure } from '../errors.ts'
import type { Candidates, Model, Target } from '../llm/model.ts'
import type { AttemptParts } from './attempt.ts'
import type { TryLimits } from './failure-policy.ts'
import type { HeldWorkflow } from './held-workflow.ts'
import type { Pass, PromptRepair } from './pass.ts'
import type { Places } from './places.ts'
import type { Clock } from './queue.ts'
import type { Stopwatch } from './stopwatch.ts'

export interface StepRunnerParts extends AttemptParts {
  readonly agents: Agents
  readonly model: Model
  readonly places: Places
  readonly clock: Clock
  readonly limits: TryLimits
  readonly promptRepair: PromptRepair
  /** Wait before the next try, given the tries used with it. */
  readonly retryDelayMs: (tries: number) => number
  /** Told of every error that is a defect of the service. */
  readonly reportDefect: (error: unknown) => void
  /** Aborted when no step may start any more. */
  readonly draining: AbortSignal
}

/** A step on its way, with the time that its current start has taken. */
export interface Run {
  readonly hold: HeldWorkflow
  readonly index: number
  readonly pass: Pass
  readonly watch: Stopwatch
  readonly limits: TryLimits
  /** Name of what set the time that one start may take. */
  readonly limitedBy: 'TASK_TIMEOUT' | 'options.timeout_seconds'
  /** Aborted when its time is up, when it may not start any more, or when the workflow is no longer held. */
  readonly waiting: AbortSignal
}

/** Where a step's calls may go, as candidates for an admission; what follows a failed try is rationed. */
export function candidatesOf({ hold, index }: Pick<Run, 'hold' | 'index'>, targets: readonly Target[]): Candidates {
  const { triesUsed, restarts } = hold.step(index)
  return { targets, isRetry: triesUsed > 0 || restarts > 0 }
}

/** The failure of a start that took too long. */
export function timedOut({ limits, limitedBy }: Run): Failure {
  const seconds = Number((limits.timeoutMs / 1000).toPrecision(3))
  return { code: 'task_timeout', message: `The step took longer than ${seconds} s (${limitedBy}).`, retryable: true }
}
