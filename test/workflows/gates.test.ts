import { describe, expect, test } from 'vitest'
import { decide } from '../../src/workflows/transitions.ts'
import type { Happening } from '../../src/workflows/transitions.ts'
import type { WorkflowState } from '../../src/workflows/workflow.ts'
import {
  approvalTimeoutMs,
  decided,
  stepHappenings,
  stepNamed,
  times,
  workflowHappenings,
  workflowOf,
} from './workflow-states.ts'

const { approved, completed, expired, incomplete, rejected, rerun, started } = stepHappenings
const { cancelled, resumed, taken } = workflowHappenings

/** The state after all of that, one at a time. */
function after(state: WorkflowState, ...happenings: readonly Happening[]): WorkflowState {
  return happenings.reduce((now, happening) => decided(now, happening).state, state)
}

const gate = workflowOf('running', [{ id: 'g', status: 'running', gate: true }])
const open = workflowOf('waiting', [{ id: 'g', status: 'waiting' }])

describe('a gate', () => {
  test('opens only for a whole answer: an incomplete one is nothing to approve', () => {
    const { state } = decided(gate, incomplete())
    expect(state).toMatchObject({ status: 'failed', reason: 'step_failed' })
    expect(stepNamed(state, 'g')).toMatchObject({ status: 'incomplete', waitingAttempt: null })
  })

  test('waits from now on, for as long as the setting says', () => {
    const step = stepNamed(decided(gate, completed()).state, 'g')
    expect(step).toMatchObject({ waitingSince: times.now, expiresAt: times.now + approvalTimeoutMs })
    expect([step.endedAt, step.endedSeq]).toEqual([null, null])
  })

  test('is one of several: each is answered for itself', () => {
    const two = workflowOf('waiting', [
      { id: 'g', status: 'waiting' },
      { id: 'h', status: 'waiting' },
    ])
    expect(after(two, approved(1))).toMatchObject({ status: 'waiting', active: false })
    expect(after(two, approved(1), approved(0))).toMatchObject({ status: 'completed' })
    expect(after(two, rejected(1), approved(0))).toMatchObject({ status: 'queued', active: true, activation: 2 })
  })

  test.each([
    ['approved', approved()],
    ['rejected', rejected()],
    ['expired', expired()],
  ])('that was answered cannot be %s', (_name, happening) => {
    const answered = after(gate, completed(), approved())
    expect(decide(answered, happening, { now: 1_000_000, jobId: 'job-2' })).toBeNull()
  })
})

describe('time', () => {
  const at = (state: WorkflowState, now: number) => decide(state, expired(), { now })

  test('closes a gate when it is over, and no moment before', () => {
    expect(at(open, 64_999)).toBeNull()
    expect(at(open, 65_000)?.state).toMatchObject({ status: 'failed', reason: 'approval_expired' })
  })

  test('never closes one that stays open for ever', () => {
    const forever = workflowOf('waiting', [{ id: 'g', status: 'waiting', expiresAt: null }])
    expect(at(forever, Number.MAX_SAFE_INTEGER)).toBeNull()
  })

  test('that a sweep found to be over does not close a gate that was opened again meanwhile', () => {
    const reopened = after(open, cancelled, resumed)
    expect(stepNamed(reopened, 'g')).toMatchObject({ status: 'waiting', expiresAt: times.now + approvalTimeoutMs })
    expect(at(reopened, 65_000)).toBeNull()
  })

  test('does not count while the workflow waits', () => {
    const { state, events } = decided(open, approved(), 50_000)
    expect(state).toMatchObject({ runningMs: 3000, endedAt: 50_000 })
    expect(events.at(-1)?.data).toMatchObject({ duration_ms: 3000 })
  })
})

describe('a rejection', () => {
  test('sends the step back as a fresh start with its former text and what is wanted', () => {
    const worn = workflowOf('waiting', [{ id: 'g', status: 'waiting', triesUsed: 2, timeUsedMs: 9, restarts: 1 }])
    const step = stepNamed(decided(worn, rejected()).state, 'g')
    expect(step).toMatchObject({
      status: 'queued',
      attempt: 1,
      keptAttempt: 1,
      triesUsed: 0,
      timeUsedMs: 0,
      restarts: 0,
    })
    expect(step.feedback).toEqual({ text: 'Say it in one page.', attempt: 1 })
  })

  test('is told to every further start, until there is a new text', () => {
    const running = after(open, rejected(), taken, started())
    const lost = after(running, { ...taken, claim: { activation: 2, retry: 1 } }, started())
    const failed = after(lost, stepHappenings.failed(), resumed)
    const told = { text: 'Say it in one page.', attempt: 1 }
    for (const state of [running, lost, failed]) expect(stepNamed(state, 'g').feedback).toEqual(told)
    const kept = after(failed, taken, started(), completed())
    expect(stepNamed(kept, 'g')).toMatchObject({ feedback: null, waitingAttempt: 4, keptAttempt: 4 })
  })

  test('is possible as often as it may be; the next one fails the step', () => {
    const again = [rejected(), taken, started(), completed()] as const
    const twice = after(open, ...again, ...again)
    expect(stepNamed(twice, 'g')).toMatchObject({ status: 'waiting', attempt: 3, revisions: 2 })
    expect(after(twice, rejected())).toMatchObject({ status: 'failed', reason: 'rejected' })
  })

  test('fails at once where there are no revisions', () => {
    const { state } = decided(open, { ...rejected(), maxRevisions: 0 })
    expect(state).toMatchObject({ status: 'failed', reason: 'rejected', active: false })
  })

  test('fails a step that has more behind it than it may have by now', () => {
    const many = workflowOf('waiting', [{ id: 'g', status: 'waiting', revisions: 7 }])
    expect(after(many, rejected())).toMatchObject({ status: 'failed', reason: 'rejected' })
  })

  test('that is the last one is told to the start after a resume too', () => {
    const resumedAgain = after(open, { ...rejected(), maxRevisions: 0 }, resumed)
    expect(stepNamed(resumedAgain, 'g')).toMatchObject({
      status: 'queued',
      revisions: 0,
      feedback: { text: 'Say it in one page.', attempt: 1 },
    })
  })
})

describe('an edited output', () => {
  const edit = { artifacts: [{ path: 'new.md', bytes: 3, sha256: 'cc', version: 2 }], rejected: [] }

  test('belongs to the step until it has a new text', () => {
    const edited = after(open, { ...approved(), edit })
    expect(stepNamed(edited, 'g')).toMatchObject({ edited: true, artifacts: ['new.md'], keptAttempt: 1 })
    const again = after(edited, rerun(), taken, started())
    expect(stepNamed(again, 'g')).toMatchObject({ edited: true, keptAttempt: 1 })
    expect(stepNamed(after(again, completed()), 'g')).toMatchObject({ edited: false, keptAttempt: 2 })
  })

  test('without files has none, whatever the attempt had', () => {
    const full = workflowOf('waiting', [{ id: 'g', status: 'waiting', artifacts: ['old.md'] }])
    const { state, events } = decided(full, { ...approved(), edit: { artifacts: [], rejected: [] } })
    expect(stepNamed(state, 'g').artifacts).toEqual([])
    expect(events[1]?.data).toMatchObject({ artifacts: [], edited: true })
  })

  test('tells of its files nothing but what the contract says', () => {
    const [artifact] = edit.artifacts
    const rich = {
      ...edit,
      artifacts: [{ path: '', bytes: 0, sha256: '', version: 0, ...artifact, content: 'secret' }],
    }
    expect(decided(open, { ...approved(), edit: rich }).events[1]?.data).toEqual(artifact)
  })
})

describe('a cancel', () => {
  test('closes the gate: nothing expires any more, and its text stays unanswered', () => {
    const { state, attempts, completeJob } = decided(open, cancelled)
    expect(stepNamed(state, 'g')).toMatchObject({
      waitingSince: null,
      expiresAt: null,
      waitingAttempt: 1,
      keptAttempt: 1,
    })
    expect([attempts, completeJob]).toEqual([[], null])
  })
})
