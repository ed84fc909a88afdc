import { AppError } from '../../src/errors.ts'
import type { WorkflowResource } from '../../src/workflows/resources.ts'
import type { Caller, Outcome, StepRef, WorkflowRef, WorkflowService } from '../../src/workflows/service.ts'
import type { FakeKeys } from './fake-keys.ts'
import { fakeApproval, fakeStep } from './fake-resources.ts'
import type { FakeRun } from './fake-run.ts'

/** One call of a verb on what is there. */
export interface AskedVerb {
  readonly verb: 'cancel' | 'resume' | 'rerun' | 'approve' | 'reject'
  readonly body: unknown
  readonly caller: Caller
}

interface VerbParts {
  readonly find: (ref: WorkflowRef) => FakeRun
  readonly all: () => Iterable<FakeRun>
  readonly keys: FakeKeys
  readonly emit: (id: string, type: string, data: Readonly<Record<string, unknown>>) => void
  readonly end: (id: string, status?: 'completed' | 'cancelled') => void
  /** Calls, refused ones too, repetitions not. */
  readonly asked: AskedVerb[]
}

type Verbs = Pick<WorkflowService, 'cancel' | 'resume' | 'rerun' | 'approve' | 'reject' | 'approvals' | 'step'>

function statusOf(run: FakeRun, status: 'queued' | 'waiting'): void {
  run.resource = { ...run.resource, status }
}

function conflict({ resource }: FakeRun, stepStatus?: string): AppError {
  const state = { status: resource.status, ...(stepStatus === undefined ? {} : { step_status: stepStatus }) }
  return new AppError('conflict', 'The state does not allow it.', { state })
}

function stepStatusOf({ gateOpen, ended }: FakeRun) {
  if (gateOpen) return 'waiting'
  return ended ? 'completed' : 'running'
}

function outcome<T extends FakeRun['resource']>(run: FakeRun, cursor: string | null, changed = true): Outcome<T> {
  return { resource: run.resource as T, changed, replayed: false, cursor }
}

/** What can be asked of a run that is there, on its one step. */
export function createFakeVerbs({ find, all, keys, emit, end, asked }: VerbParts): Verbs {
  const findStep = ({ id, step }: StepRef): FakeRun => {
    const run = find({ kind: 'workflow', id })
    if (step !== 'work') throw new AppError('not-found', `There is no step "${step}".`)
    return run
  }
  const revive = <T extends FakeRun['resource']>(run: FakeRun, status: 'queued' | 'waiting' = 'queued'): Outcome<T> => {
    const { id, status: from } = run.resource
    const cursor = `${id}.${run.frames.length}`
    run.ended = false
    statusOf(run, status)
    emit(id, 'workflow.resumed', { status, from, reset: ['work'] })
    return outcome(run, cursor)
  }
  const answer = (at: StepRef, { verb, body, caller }: AskedVerb & { readonly verb: 'approve' | 'reject' }) =>
    keys.once<WorkflowResource>(caller, async () => {
      const run = findStep(at)
      asked.push({ verb, body, caller })
      const answered = `${verb} ${JSON.stringify(body)}`
      if (!run.gateOpen && run.answered === answered) return outcome(run, null, false)
      if (!run.gateOpen) throw conflict(run, stepStatusOf(run))
      Object.assign(run, { gateOpen: false, answered })
      if (verb === 'approve') end(at.id)
      else revive(run)
      return outcome(run, null)
    })

  return {
    async step(id, step) {
      return fakeStep(step, stepStatusOf(findStep({ id, step })))
    },
    cancel: (ref, caller) =>
      keys.once(caller, async () => {
        const run = find(ref)
        asked.push({ verb: 'cancel', body: null, caller })
        const changed = !run.ended
        if (changed) end(ref.id, 'cancelled')
        return outcome(run, null, changed)
      }),
    resume: (ref, body, caller) =>
      keys.once(caller, async () => {
        const run = find(ref)
        asked.push({ verb: 'resume', body, caller })
        if (run.resource.status !== 'failed' && run.resource.status !== 'cancelled') throw conflict(run)
        return revive(run, run.gateOpen ? 'waiting' : 'queued')
      }),
    rerun: (at, body, caller) =>
      keys.once(caller, async () => {
        const run = findStep(at)
        asked.push({ verb: 'rerun', body, caller })
        if (!run.ended) throw conflict(run, stepStatusOf(run))
        return revive<WorkflowResource>(run)
      }),
    approve: (at, body, caller) => answer(at, { verb: 'approve', body, caller }),
    reject: (at, body, caller) => answer(at, { verb: 'reject', body, caller }),
    async approvals({ limit, after }) {
      if (after !== null && after !== 'next-page')
        throw new AppError('invalid-cursor', 'This cursor was not made here.')
      const open = [...all()].filter(({ gateOpen }) => gateOpen).map(({ resource }) => fakeApproval(resource.id))
      const data = after === null ? open.slice(0, limit) : open.slice(limit)
      return { data, next: after === null && open.length > limit ? 'next-page' : null }
    },
  }
}
