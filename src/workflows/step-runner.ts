import type { AgentTask, PreparedTask } from '../agents/agent.ts'
import { AppError } from '../errors.ts'
import { withTraceIds } from '../trace-context.ts'
import { unlessAborted } from './answer-sink.ts'
import { makeAttempt } from './attempt.ts'
import { toFailure } from './failure.ts'
import type { HeldWorkflow } from './held-workflow.ts'
import { gatherTask } from './materials.ts'
import { canChangeModel, firstPass } from './pass.ts'
import type { Pass } from './pass.ts'
import { timedOut } from './run.ts'
import type { Run, StepRunnerParts } from './run.ts'
import { settleFailure } from './settle-failure.ts'
import { admitStep } from './step-admission.ts'
import type { Start } from './step-admission.ts'
import { createStopwatch } from './stopwatch.ts'

/** Runs a queued step, try after try, until it has ended or is no longer ours to run. Never rejects. */
export async function runStep(parts: StepRunnerParts, hold: HeldWorkflow, index: number): Promise<void> {
  const { taskId, definition } = hold.step(index)
  await withTraceIds({ taskId, agentId: definition.role }, async () => {
    let pass = firstPass
    while (hold.step(index).status === 'queued' && !hold.over.aborted && !parts.draining.aborted) {
      try {
        pass = await runOnce(parts, { hold, index, pass })
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

/** One attempt, or none when the step may not be tried any more. */
async function runOnce(parts: StepRunnerParts, { hold, index, pass }: Pick<Run, 'hold' | 'index' | 'pass'>) {
  const { definition, timeUsedMs } = hold.step(index)
  const asked = definition.options.timeoutMs ?? hold.state().options.timeoutMs
  const timeoutMs = asked ?? parts.limits.timeoutMs
  const limits = { ...parts.limits, timeoutMs }
  const limitedBy = asked === undefined ? 'TASK_TIMEOUT' : 'options.timeout_seconds'
  const watch = createStopwatch(timeUsedMs, timeoutMs)
  const waiting = AbortSignal.any([watch.timeUp, hold.over, parts.draining])
  const run: Run = { hold, index, pass, watch, limits, limitedBy, waiting }
  let tried: Tried
  try {
    const start = await admitStep(parts, run)
    if (start === null) return pass
    try {
      tried = await begin(parts, run, start)
    } finally {
      start.permit.release()
      start.place.release()
    }
  } finally {
    watch.pause()
  }
  // The others' calls take what time they take, which is not this step's.
  if (tried.freed !== undefined) await unlessAborted(tried.freed, AbortSignal.any([hold.over, parts.draining]))
  return tried.pass
}

/** What the next attempt is to know, and when it may be made: `freed` resolves when there is more of the budget. */
interface Tried {
  readonly pass: Pass
  readonly freed?: Promise<void>
}

async function begin(parts: StepRunnerParts, run: Run, start: Start): Promise<Tried> {
  const { hold, index, pass } = run
  const { target } = start.permit
  const task = await gatherTask(parts, { hold, index, target })
  if (parts.draining.aborted) return { pass }
  const mayChangeModel = canChangeModel(pass, parts.promptRepair)
  const limited = { ...task, promptLimit: pass.promptLimit, mayCut: !mayChangeModel }
  const prepared = prepare(parts, limited)
  if (mayChangeModel && isTooLong(prepared)) return { pass: { ...firstPass, otherModel: true } }
  return attempt(parts, run, { start, task: limited, prepared })
}

function prepare({ agents }: StepRunnerParts, task: AgentTask): PreparedTask | Error {
  try {
    return agents.prepare(task)
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

function isTooLong(prepared: PreparedTask | Error): boolean {
  return prepared instanceof AppError && prepared.code === 'context_overflow'
}

async function attempt(
  parts: StepRunnerParts,
  run: Run,
  {
    start,
    task,
    prepared,
  }: { readonly start: Start; readonly task: AgentTask; readonly prepared: PreparedTask | Error },
): Promise<Tried> {
  const { hold, index, watch, pass } = run
  const signal = AbortSignal.any([watch.timeUp, hold.over])
  const outcome = await makeAttempt(parts, { hold, index, task, prepared, permit: start.permit, signal })
  watch.pause()
  // Calls that were cut because the process ends are nobody's failure: the next one starts the step again.
  if (outcome.kind === 'held_back') return { pass, freed: outcome.freed }
  if (outcome.kind === 'settled' || hold.over.aborted || parts.abandoned.aborted) return { pass }
  const failure = watch.timeUp.aborted ? timedOut(run) : toFailure(outcome.error)
  if (failure.code === 'internal') parts.reportDefect(outcome.error)
  return { pass: await settleFailure(parts, run, { outcome, failure, prepared, start }) }
}
