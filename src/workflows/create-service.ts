import { randomUUID } from 'node:crypto'
import { AppError } from '../errors.ts'
import { createEventLoopTurns } from './event-loop-turns.ts'
import { createGateVerbs } from './gate-verbs.ts'
import type { GateVerbParts } from './gate-verbs.ts'
import { once } from './idempotency.ts'
import { publishChange } from './publish-change.ts'
import { planTask, planWorkflow } from './plan.ts'
import { findState, notFound, viewEither } from './find-workflow.ts'
import { createEventOpener } from './open-events.ts'
import { createReads } from './read-service.ts'
import type { ReadParts } from './read-service.ts'
import { createRevivalVerbs } from './revival-verbs.ts'
import type { RevivalVerbParts } from './revival-verbs.ts'
import type { Caller, Outcome, WorkflowRef, WorkflowService, WorkflowServices } from './service.ts'
import type { WebhookPolicy } from './new-webhook.ts'
import type { KeyBinding, NewWorkflow } from './store.ts'
import { changeByVerb, outcomeOf } from './verbs.ts'
import { createWebhookVerbs } from './webhook-verbs.ts'
import type { WebhookVerbParts } from './webhook-verbs.ts'
import { hasEnded } from './workflow.ts'

const startsPerTurn = 4

type BoundParts = ReadParts &
  RevivalVerbParts &
  GateVerbParts &
  WebhookVerbParts & {
    /** Without it there are no webhooks. */
    readonly webhooks?: WebhookPolicy | undefined
    /** Above so many queued workflows a start is refused with `queue-full`. */
    readonly maxQueuedWorkflows: number
    /** Resolves when the event loop has time for another start. */
    readonly turn: () => Promise<void>
  }

export type ServiceParts = Omit<BoundParts, 'principal' | 'openReader' | 'turn'>

/** The verbs on workflows and direct tasks, for the edge. */
export function createServices(parts: ServiceParts): WorkflowServices {
  const openReader = createEventOpener(parts)
  // Hundreds of starts at once would otherwise hold up everything else, probes too, until the last is planned.
  const turn = createEventLoopTurns(startsPerTurn)
  // There are as many as keys in the settings.
  const known = new Map<string, WorkflowService>()
  return {
    as(principal) {
      const key = JSON.stringify([principal.seesAll, principal.name])
      const service = known.get(key) ?? createService({ ...parts, openReader, turn, principal })
      known.set(key, service)
      return service
    },
  }
}

function createService(parts: BoundParts): WorkflowService {
  const { turn } = parts
  const start = async (caller: Caller, plan: () => NewWorkflow): Promise<Outcome<never>> => {
    await turn()
    return (await once(parts, caller, (bind) => accept(parts, plan(), bind(0)))) as Outcome<never>
  }
  return {
    ...createReads(parts),
    ...createRevivalVerbs(parts),
    ...createGateVerbs(parts),
    ...createWebhookVerbs(parts),
    start: (request, caller) => start(caller, () => planWorkflow(parts, request, origin(parts, caller))),
    startTask: (role, request, caller) =>
      start(caller, () => planTask(parts, { role, request }, origin(parts, caller))),
    cancel: (ref, caller) =>
      once(parts, caller, async (bind) => {
        const { changed } = await changeByVerb(parts, { ref, correlationId: caller.correlationId }, (state) => ({
          happening: { type: 'cancelled' },
          binding: bind(state.seq),
        }))
        return outcomeOf(parts, ref, { changed })
      }),
    remove: (ref) => remove(parts, ref),
  }
}

function origin({ clock, principal }: BoundParts, caller: Caller) {
  return { caller, owner: principal.name, now: clock.now(), jobId: randomUUID() }
}

/** Stores a workflow and has it run; what is answered is what was stored. */
async function accept(parts: BoundParts, workflow: NewWorkflow, binding: KeyBinding | null) {
  if (parts.engine.queued() >= parts.maxQueuedWorkflows) {
    const message = `${parts.maxQueuedWorkflows} workflows are waiting already (MAX_QUEUED_WORKFLOWS).`
    throw new AppError('queue-full', message, { retryAfterMs: 10_000 })
  }
  await parts.store.create(workflow, binding)
  const { state, events, input } = workflow
  publishChange(parts, { state, events, changedSteps: [], attempts: [], completeJob: null, sendJob: false })
  parts.engine.wake(state.id)
  const resource = viewEither({ state, input, outputs: new Map() }, parts.clock.now())
  return { resource, changed: true, replayed: false, cursor: null }
}

async function remove(parts: BoundParts, ref: WorkflowRef): Promise<void> {
  const { store, followers, hints } = parts
  for (;;) {
    const { status } = await findState(parts, ref)
    const outcome = await store.remove(ref.id)
    if (outcome === 'removed') break
    if (outcome === 'missing') throw notFound(`There is no ${ref.kind} "${ref.id}".`)
    // What had ended when it was read has been revived since: a refusal has to name what it is now.
    if (hasEnded(status)) continue
    throw new AppError('conflict', `It is still ${status}: cancel it first, then delete it.`, { state: { status } })
  }
  followers.advance(ref.id, null)
  hints.tell(ref.id)
}
