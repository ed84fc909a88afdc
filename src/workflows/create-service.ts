import { randomUUID } from 'node:crypto'
import { AppError } from '../errors.ts'
import { createEventLoopTurns } from './event-loop-turns.ts'
import type { WorkflowObserver } from './events.ts'
import { publish, toChange } from './held-workflow.ts'
import { planTask, planWorkflow } from './plan.ts'
import { createReads, findRecord, findState, notFound, viewEither } from './read-service.ts'
import type { ReadParts } from './read-service.ts'
import { viewTask, viewWorkflow } from './resource-view.ts'
import type { Caller, WorkflowRef, WorkflowService } from './service.ts'
import type { NewWorkflow, WorkflowRecord } from './store.ts'
import { decide } from './transitions.ts'

const startsPerTurn = 4

export interface ServiceParts extends ReadParts {
  readonly observe: WorkflowObserver
  /** Every model that can be asked for; null while that is not known. */
  readonly listedModels: () => readonly string[] | null
  /** Above so many queued workflows a start is refused with `queue-full`. */
  readonly maxQueuedWorkflows: number
}

/** The verbs on workflows and direct tasks, for the edge. */
export function createService(parts: ServiceParts): WorkflowService {
  const { store, clock } = parts
  // Hundreds of starts at once would otherwise hold up everything else, probes too, until the last is planned.
  const turn = createEventLoopTurns(startsPerTurn)
  return {
    ...createReads(parts),
    async start(request, caller) {
      await turn()
      const workflow = planWorkflow(parts, request, origin(parts, caller))
      return viewWorkflow(await accept(parts, workflow), clock.now())
    },
    async startTask(role, request, caller) {
      await turn()
      const workflow = planTask(parts, { role, request }, origin(parts, caller))
      return viewTask(await accept(parts, workflow), clock.now())
    },
    async cancel(ref, caller) {
      const changed = await cancel(parts, ref, caller)
      return { resource: viewEither(await findRecord(store, ref), clock.now()), changed }
    },
    remove: (ref) => remove(parts, ref),
  }
}

function origin({ clock }: ServiceParts, caller: Caller) {
  return { caller, now: clock.now(), jobId: randomUUID() }
}

/** Stores a workflow and has it run; what is answered is what was stored. */
async function accept(parts: ServiceParts, workflow: NewWorkflow): Promise<WorkflowRecord> {
  if (parts.engine.queued() >= parts.maxQueuedWorkflows) {
    const message = `${parts.maxQueuedWorkflows} workflows are waiting already (MAX_QUEUED_WORKFLOWS).`
    throw new AppError('queue-full', message, { retryAfterMs: 10_000 })
  }
  await parts.store.create(workflow)
  const { state, events, input } = workflow
  publish(parts, { state, events, changedSteps: [], attempts: [], completeJob: null, sendJob: false })
  parts.engine.wake(state.id)
  return { state, input, outputs: new Map() }
}

/** Cancels what has not ended: once this resolves with true, it has. The runner is told afterwards. */
async function cancel(parts: ServiceParts, ref: WorkflowRef, caller: Caller): Promise<boolean> {
  const { store, clock, engine } = parts
  for (;;) {
    const state = await findState(store, ref)
    const moment = { now: clock.now(), correlationId: caller.correlationId }
    const happening = { type: 'cancelled' } as const
    const decision = decide(state, happening, moment)
    if (decision === null) return false
    const change = toChange(decision, { happening }, { seen: state.seq, guard: { kind: 'verb' } })
    if (!(await store.commit(change))) continue
    publish(parts, decision)
    engine.wake(state.id)
    return true
  }
}

async function remove({ store, followers }: ServiceParts, ref: WorkflowRef): Promise<void> {
  const { status } = await findState(store, ref)
  const outcome = await store.remove(ref.id)
  if (outcome === 'missing') throw notFound(`There is no ${ref.kind} "${ref.id}".`)
  if (outcome === 'not_ended') {
    throw new AppError('conflict', `It is still ${status}: cancel it first, then delete it.`, { state: { status } })
  }
  followers.advance(ref.id, null)
}
