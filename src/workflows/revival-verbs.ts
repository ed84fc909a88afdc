import type { Agents } from '../agents/agent.ts'
import { AppError } from '../errors.ts'
import { priceFaults, spentFaults } from './budget-faults.ts'
import type { Pricing } from './budget-faults.ts'
import { nothingSpent } from './budget.ts'
import { encodeCursor } from './cursor.ts'
import { once } from './idempotency.ts'
import { modelFaults, refuse } from './plan-faults.ts'
import { runOptions } from './plan.ts'
import { notFound } from './find-workflow.ts'
import type { WorkflowOptions } from './requests.ts'
import type { Caller, WorkflowRef, WorkflowService } from './service.ts'
import { changeByVerb, outcomeOf } from './verbs.ts'
import type { VerbParts, VerbPlan } from './verbs.ts'
import type { RunOptions, WorkflowState } from './workflow.ts'
import { hasEnded } from './workflow.ts'

export interface RevivalVerbParts extends VerbParts {
  readonly agents: Agents
  readonly pricing: Pricing
  /** Every model that can be asked for; null while that is not known. */
  readonly listedModels: () => readonly string[] | null
  /** How long a gate stays open, in milliseconds; 0: for ever. */
  readonly approvalTimeoutMs: number
}

/** What makes an ended workflow go on. */
export function createRevivalVerbs(parts: RevivalVerbParts): Pick<WorkflowService, 'resume' | 'rerun'> {
  return {
    resume: (ref, { options = {} }, caller) =>
      once(parts, caller, (bind) =>
        revive(parts, { ref, caller }, async (state) => {
          const merged = mergedRunOptions(state, options)
          return {
            check: () => checkOptions(parts, state, { options, merged }),
            happening: {
              type: 'resumed',
              options: merged,
              priority: options.priority ?? state.priority,
              approvalTimeoutMs: parts.approvalTimeoutMs,
            },
            requestedOptions: await mergedOptions(parts, state, options),
            binding: bind(state.seq),
          }
        }),
      ),
    rerun: async ({ id, step: stepId }, { feedback = null, options = {} }, caller) => {
      const ref = { kind: 'workflow', id } as const
      const outcome = await once(parts, caller, (bind) =>
        revive(parts, { ref, caller, stepId }, async (state) => {
          const step = stepOf(state, stepId)
          const { budget: _ofTheWhole, ...changed } = runOptions(options)
          const merged = mergedRunOptions(state, options)
          return {
            check: () => checkOptions(parts, state, { options, merged }),
            happening: {
              type: 'rerun',
              step: step.index,
              feedback,
              options: merged,
              priority: options.priority ?? state.priority,
              stepOptions: overridden(step.definition.options, changed),
            },
            requestedOptions: await mergedOptions(parts, state, options),
            binding: bind(state.seq),
          }
        }),
      )
      return outcome as Awaited<ReturnType<WorkflowService['rerun']>>
    },
  }
}

async function revive(
  parts: VerbParts,
  { ref, caller, stepId }: { readonly ref: WorkflowRef; readonly caller: Caller; readonly stepId?: string },
  plan: VerbPlan,
) {
  const done = await changeByVerb(parts, { ref, correlationId: caller.correlationId }, plan)
  if (!done.changed) throw refusal(done.state, stepId)
  // an ended workflow has no open attempt
  const cursor = encodeCursor(ref.id, { seq: done.seen, open: [] })
  return outcomeOf(parts, ref, { changed: true, cursor })
}

/** The options as the client gave them, with those of now. */
async function mergedOptions({ store }: VerbParts, { id }: WorkflowState, options: WorkflowOptions) {
  if (Object.keys(options).length === 0) return null
  const input = await store.input(id)
  const before: WorkflowOptions = input?.options ?? {}
  const budget = { ...before.budget, ...options.budget }
  return { ...before, ...options, ...(Object.keys(budget).length === 0 ? {} : { budget }) }
}

/** Key by key, and so the budget: raising one limit leaves the others as they are. */
function mergedRunOptions(state: WorkflowState, options: WorkflowOptions): RunOptions {
  const { priority: _priority, ...rest } = options
  const changed = runOptions(rest)
  const budget = { ...state.options.budget, ...changed.budget }
  return { ...state.options, ...changed, ...(Object.keys(budget).length === 0 ? {} : { budget }) }
}

interface AskedOptions {
  readonly options: WorkflowOptions
  readonly merged: RunOptions
}

/** Throws `invalid-workflow` for a model that nobody lists, and for a budget that cannot be held or is spent already. */
async function checkOptions(parts: RevivalVerbParts, state: WorkflowState, asked: AskedOptions): Promise<void> {
  const { options, merged } = asked
  const spent = merged.budget === undefined ? nothingSpent : await parts.store.spent(state.id, [])
  const steps = state.steps.map(({ definition }) => definition)
  refuse([
    ...modelFaults(parts.listedModels(), { options }),
    ...priceFaults(parts, { options: merged, steps }),
    ...spentFaults(merged, spent, state),
  ])
}

/** A step's own options win over the workflow's: what is asked for now must win over both. */
function overridden<T extends object>(own: T, changed: T): T {
  const keys = Object.keys(own)
  const replaced = Object.entries(changed).filter(([key]) => keys.includes(key))
  return { ...own, ...Object.fromEntries(replaced) }
}

/** A step of a workflow. Throws `not-found`. */
export function stepOf(state: WorkflowState, id: string) {
  const step = state.steps.find((candidate) => candidate.definition.id === id)
  if (step === undefined) throw notFound(`This workflow has no step "${id}".`)
  return step
}

function refusal(state: WorkflowState, stepId: string | undefined): AppError {
  const { status } = state
  if (stepId === undefined) {
    const message = hasEnded(status)
      ? `It is ${status}: only what has failed or was cancelled can be resumed. To run a step again, rerun it.`
      : `It is ${status}: it goes on by itself. Only what has failed or was cancelled can be resumed.`
    return new AppError('conflict', message, { state: { status } })
  }
  const step = stepOf(state, stepId)
  const why = hasEnded(status)
    ? `The step is ${step.status}, or something that it depends on is not done: resume the workflow instead.`
    : `The workflow is ${status}: only a step of one that has ended can be run again.`
  return new AppError('conflict', why, { state: { status, step_status: step.status } })
}
