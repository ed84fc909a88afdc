import { AppError } from '../../src/errors.ts'
import { createFollowers } from '../../src/workflows/followers.ts'
import { closeExpiredGates } from '../../src/workflows/gate-sweep.ts'
import type { ApproveStep } from '../../src/workflows/requests.ts'
import type { Caller } from '../../src/workflows/service.ts'
import { hasEnded } from '../../src/workflows/workflow.ts'
import type { WorkflowStatus } from '../../src/workflows/workflow.ts'
import type { Try } from './engine-try.ts'
import { nameOf } from './engine-watch.ts'

/** The status that a client would get; `-` of what no client asked for. */
export type Verdict = '200' | '202' | '204' | '404' | '409' | '-'

/** One of two that race for a workflow. */
export type Contender = (one: Try, by: Caller) => Promise<Verdict>

async function verdictOf(work: Promise<{ readonly changed: boolean } | void>): Promise<Verdict> {
  try {
    const outcome = await work
    if (outcome === undefined) return '204'
    return outcome.changed ? '202' : '200'
  } catch (error) {
    if (error instanceof AppError && error.code === 'conflict') return expectTrueConflict(error)
    if (error instanceof AppError && error.code === 'not-found') return '404'
    throw error
  }
}

/** A refusal names the state that it is for. */
function expectTrueConflict({ details, message }: AppError): Verdict {
  const status = (details.state?.['status'] ?? '') as WorkflowStatus
  const isDelete = message.includes('delete it')
  if (isDelete && hasEnded(status)) throw new Error(`a delete was refused because it is ${status}`)
  return '409'
}

export const cancel: Contender = ({ any, ref }, by) => verdictOf(any().service.cancel(ref, by))
export const resume: Contender = ({ any, ref }, by) => verdictOf(any().service.resume(ref, {}, by))
export const remove: Contender = ({ any, ref }) => verdictOf(any().service.remove(ref))

export function rerun(step: string): Contender {
  return ({ any, id }, by) => verdictOf(any().service.rerun({ id, step }, {}, by))
}

export function approve(step: string, body: ApproveStep = {}): Contender {
  return ({ any, id }, by) => verdictOf(any().service.approve({ id, step }, { attempt: 1, ...body }, by))
}

export function reject(step: string): Contender {
  return ({ any, id }, by) => verdictOf(any().service.reject({ id, step }, { attempt: 1, feedback: 'Other.' }, by))
}

/** What is held is answered; resolves when that is stored, or the workflow has ended otherwise. */
export function stepEnds(step: string): Contender {
  return async ({ id, site, latch }) => {
    latch.open()
    await untilOneOf({ id, site }, [`step.completed ${step}`, `step.cancelled ${step}`])
    return '-'
  }
}

/** Waits for an end that comes by itself. */
export const endsByItself: Contender = async (one) => {
  await untilOneOf(one, ['workflow.failed', 'workflow.cancelled'])
  return '-'
}

async function untilOneOf({ id, site }: Pick<Try, 'id' | 'site'>, names: readonly string[]): Promise<void> {
  const seen = await site.watch.until(id, (event) => names.includes(nameOf(event)))
  if (!seen) throw new Error(`${id} came to none of ${names.join()}`)
}

/** The sweep finds the gate of the first step, whose time is over. */
export const gateExpires: Contender = async ({ any, id, site }) => {
  const { clock, hints, store } = site.storage()
  const expired = { ...store, expiredGates: async () => [{ workflowId: id, stepIndex: 0 }] }
  const { engine } = any()
  await closeExpiredGates({
    store: expired,
    clock,
    hints,
    engine,
    observe: () => undefined,
    followers: createFollowers(),
  })
  return '-'
}
