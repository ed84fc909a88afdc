import type { Decision } from '../../src/workflows/draft.ts'
import type { LifecycleEvent } from '../../src/workflows/events.ts'
import type { AttemptRecord } from '../../src/workflows/store.ts'
import { begin, decide } from '../../src/workflows/transitions.ts'
import type { Happening } from '../../src/workflows/transitions.ts'
import { addUsage, hasEnded, noUsage } from '../../src/workflows/workflow.ts'
import type { Feedback, StepState, WorkflowState, WorkflowStatus } from '../../src/workflows/workflow.ts'
import { wireUsage } from '../../src/workflows/wire.ts'
import { EventLedger } from './event-ledger.ts'
import type { ToldStatus } from './event-order.ts'
import { deepFreeze, times, workflowOf } from './workflow-states.ts'
import type { StepSketch } from './workflow-states.ts'

function must(holds: boolean, complaint: string): void {
  if (!holds) throw new Error(complaint)
}

type Allowing<Status> = Partial<Record<Happening['type'], readonly Status[]>>

/** What the workflow has to be for something to happen to it. */
const whileWorkflow: Allowing<WorkflowStatus> = {
  taken: ['queued', 'running'],
  adopted: ['queued', 'running'],
  handed_over: ['queued', 'running'],
  time_up: ['queued', 'running'],
  step_started: ['running'],
  step_failed: ['running'],
  cancelled: ['queued', 'running', 'waiting'],
  resumed: ['failed', 'cancelled'],
  rerun: ['completed', 'failed', 'cancelled'],
}

/** What the step has to be. */
const whileStep: Allowing<ToldStatus> = {
  step_started: ['queued'],
  step_failed: ['queued', 'running'],
  step_continued: ['running'],
  step_retried: ['running'],
  step_kept: ['running'],
  approved: ['waiting'],
  rejected: ['waiting'],
  gate_expired: ['waiting'],
  rerun: ['completed', 'incomplete', 'failed', 'cancelled'],
}

/**
 * A workflow as it is stored, its job, and a stranger who reads along. What happens to it must keep every promise of
 * the contract, or it throws.
 */
export class WorkflowRun {
  state: WorkflowState
  readonly ledger: EventLedger
  readonly events: LifecycleEvent[] = []
  now: number = times.created
  readonly #attempts = new Map<string, AttemptRecord>()
  readonly #liveJobs = new Set<string>()
  readonly #feedback = new Map<number, Feedback>()
  /** Attempts that wait, or waited in vain. */
  readonly #unanswered = new Map<number, number>()
  #activations = 1

  constructor(sketches: readonly StepSketch[], { maxRevisions }: { readonly maxRevisions: number }) {
    const unstarted = workflowOf('queued', sketches, { seq: 0, claim: null, updatedAt: times.created })
    this.ledger = new EventLedger(unstarted, { maxRevisions })
    this.state = unstarted
    this.#take(begin(unstarted, { now: this.now }))
  }

  /** false: it was refused, and nothing has changed; whether it should be is known apart from the transitions. */
  apply(happening: Happening): boolean {
    const allowed = this.allows(happening)
    const before = deepFreeze(this.state)
    const decision = decide(before, happening, { now: this.now, jobId: `job-${this.#activations + 1}` })
    must((decision !== null) === allowed, `${happening.type} is ${allowed ? 'refused' : 'allowed'}`)
    if (decision === null) return false
    this.#expectFeedback(happening)
    this.#expectUnanswered(happening)
    this.#take(decision)
    if (happening.type === 'resumed') this.#checkResumed(before, happening.approvalTimeoutMs)
    if (happening.type === 'rerun') this.#checkRerun(happening.step)
    return true
  }

  /** What the tables allow, as far as the events have told. */
  allows(happening: Happening): boolean {
    if (whileWorkflow[happening.type]?.includes(this.ledger.status) === false) return false
    if (!('step' in happening)) return true
    const { status, closesAt, definition } = this.#entry(happening.step)
    if (whileStep[happening.type]?.includes(status) === false) return false
    if (happening.type === 'gate_expired') return closesAt !== null && closesAt <= this.#moment()
    if (happening.type !== 'rerun') return true
    return definition.dependsOn.every((id) => this.ledger.isDone(this.ledger.step(id)))
  }

  addTokens(step: number, tokens: number): void {
    const usage = { ...noUsage, inputTokens: tokens, llmCalls: 1 }
    const add = (before: StepState) =>
      before.index === step ? { ...before, usage: addUsage(before.usage, usage) } : before
    this.state = { ...this.state, steps: this.state.steps.map(add) }
  }

  #take(decision: Decision): void {
    const before = this.state
    for (const event of decision.events) this.ledger.read(event)
    this.events.push(...decision.events)
    this.ledger.settle()
    for (const attempt of decision.attempts) this.#record(attempt)
    this.#moveJob(decision, before)
    this.state = decision.state
    const unwritten = this.state.steps.filter((step) => {
      return step !== before.steps[step.index] && !decision.changedSteps.includes(step.index)
    })
    must(unwritten.length === 0, `step ${unwritten[0]?.index} has changed, and is not written`)
    this.#checkWorkflow()
    for (const step of this.state.steps) this.#checkStep(step)
    const end = decision.events.find(({ type }) => hasEnded(type.slice('workflow.'.length) as WorkflowState['status']))
    const used = this.state.steps.reduce((sum, step) => addUsage(sum, step.usage), noUsage)
    const told = JSON.stringify(end?.data['usage'])
    must(end === undefined || told === JSON.stringify(wireUsage(used)), `the end tells a usage of ${told}`)
  }

  #record(attempt: AttemptRecord): void {
    const key = `${attempt.stepIndex}@${attempt.attempt}`
    const before = this.#attempts.get(key)
    must(before?.status === (attempt.status === 'open' ? undefined : 'open'), `${key} is ${attempt.status} again`)
    must(before === undefined || attempt.startedAt === before.startedAt, `${key} began at another time`)
    must(attempt.endedAt === null || attempt.endedAt >= attempt.startedAt, `${key} ended before it began`)
    this.#attempts.set(key, attempt)
  }

  /** One that goes on has exactly one job, that of its newest activation; one that is let go has none. */
  #moveJob({ completeJob, sendJob, state }: Decision, before: WorkflowState): void {
    if (completeJob !== null) {
      must(this.#liveJobs.delete(completeJob), `${completeJob} is completed, and is no live job`)
      must(completeJob === before.jobId, `${completeJob} is completed, which is not that of the workflow`)
    }
    const beginning = before.seq === 0
    if (sendJob) {
      must(state.jobId !== null && !this.#liveJobs.has(state.jobId), `${state.jobId} is sent again`)
      must(beginning || state.jobId !== before.jobId, `${state.jobId} is sent again`)
      this.#liveJobs.add(state.jobId ?? '')
      this.#activations += beginning ? 0 : 1
    }
    must(state.activation === this.#activations, `it is activation ${state.activation}, not ${this.#activations}`)
    const live = state.active ? state.jobId : ''
    must([...this.#liveJobs].join() === live, `${[...this.#liveJobs].join()} is live, and not ${live}`)
  }

  #checkWorkflow(): void {
    const { status, reason, error, active, seq, runningMs, runningSince, endedAt, updatedAt } = this.state
    must(status === this.ledger.status, `it is ${status}, its events say ${this.ledger.status}`)
    must(seq === this.ledger.seq, `its number is ${seq}, that of its last event ${this.ledger.seq}`)
    must(active === (status === 'queued' || status === 'running'), `it is ${status}, active: ${active}`)
    must((runningSince !== null) === (status === 'running'), `it is ${status}, running since ${runningSince}`)
    must(runningMs >= 0 && runningMs === this.ledger.runningMs, `it ran ${runningMs} ms`)
    must((endedAt !== null) === hasEnded(status), `it is ${status}, ended at ${endedAt}`)
    must(endedAt === null || endedAt <= updatedAt, `it ended at ${endedAt}`)
    const lawful = hasEnded(status) ? this.ledger.endByTheRule() : { reason: null, error: null }
    const expected = status === 'waiting' ? 'approval' : lawful.reason
    must(reason === expected, `it is ${status} with reason ${reason}, not ${expected}`)
    must(error === lawful.error, `it is ${status} with error ${error?.message}`)
  }

  #checkStep(step: StepState): void {
    const entry = this.#entry(step.index)
    const complain = (what: string) => `${step.definition.id}, which is ${step.status}, ${what}`
    must(step.status === entry.status, complain(`is ${entry.status} by its events`))
    must(step.attempt === entry.attempt && step.keptAttempt === entry.kept, complain(`kept ${step.keptAttempt}`))
    must(step.error === entry.error && step.endedSeq === entry.endedSeq, complain(`ended with ${step.endedSeq}`))
    must((step.endedAt === null) === (step.endedSeq === null), complain(`ended at ${step.endedAt}`))
    must((step.runningSince !== null) === entry.open, complain(`runs since ${step.runningSince}`))
    must(step.expiresAt === entry.closesAt, complain(`closes at ${step.expiresAt}`))
    must((step.waitingSince !== null) === (step.status === 'waiting'), complain(`waits since ${step.waitingSince}`))
    const unanswered = this.#unanswered.get(step.index) ?? null
    must(step.waitingAttempt === unanswered, complain(`waits for an answer to ${step.waitingAttempt}`))
    must(step.revisions === entry.revisions, complain(`has ${step.revisions} revisions`))
    const told = this.#feedback.get(step.index)
    must(step.feedback?.text === told?.text && step.feedback?.attempt === told?.attempt, complain('is told otherwise'))
    const mine = [...this.#attempts.values()].filter(({ stepIndex }) => stepIndex === step.index)
    must(
      mine.length === step.attempt && mine.every(({ attempt }, at) => attempt === at + 1),
      complain('lacks attempts'),
    )
    must(mine.filter(({ status }) => status === 'open').length === Number(entry.open), complain('left one open'))
    must((mine.findLast(({ status }) => status === 'kept')?.attempt ?? null) === entry.kept, complain('kept others'))
    const spentMs = mine.reduce((sum, { startedAt, endedAt }) => sum + (endedAt === null ? 0 : endedAt - startedAt), 0)
    must(step.runningMs === spentMs, complain(`ran ${step.runningMs} ms`))
  }

  /** What a start of a step is told: the last rejection's words, or those of a rerun, until it has a new text. */
  #expectFeedback(happening: Happening): void {
    if (happening.type === 'step_kept') this.#feedback.delete(happening.step)
    const said = happening.type === 'rejected' || happening.type === 'rerun' ? happening.feedback : null
    if (said === null || !('step' in happening)) return
    this.#feedback.set(happening.step, { text: said, attempt: this.#entry(happening.step).kept })
  }

  #expectUnanswered(happening: Happening): void {
    if (!('step' in happening)) return
    const { definition, attempt } = this.#entry(happening.step)
    const waits = happening.type === 'step_kept' && happening.status === 'completed' && definition.approval
    if (waits) this.#unanswered.set(happening.step, attempt)
    if (happening.type === 'approved' || happening.type === 'rejected') this.#unanswered.delete(happening.step)
    if (happening.type !== 'rerun') return
    const again = this.ledger.withDependents(definition.id)
    for (const step of this.state.steps) if (again.has(step.definition.id)) this.#unanswered.delete(step.index)
  }

  /** A text that nobody answered is not paid for again; everything else that was lost is. */
  #checkResumed(before: WorkflowState, approvalTimeoutMs: number): void {
    const closesAt = approvalTimeoutMs === 0 ? null : this.state.updatedAt + approvalTimeoutMs
    for (const after of this.state.steps) {
      const step = before.steps[after.index]
      const about = `step ${after.index}, which is ${after.status},`
      if (this.#unanswered.has(after.index)) {
        must(after.status === 'waiting' && after.attempt === step?.attempt, `${about} is not asked about again`)
        must(after.expiresAt === closesAt, `${about} closes at ${after.expiresAt}`)
      } else if (after !== step) {
        must(['pending', 'queued'].includes(after.status), `${about} was not reset`)
        must(after.triesUsed + after.losses + after.restarts === 0, `${about} is not fresh`)
      }
    }
  }

  #checkRerun(index: number): void {
    const again = this.ledger.withDependents(this.#entry(index).definition.id)
    for (const { definition, status, waitingAttempt, losses } of this.state.steps) {
      if (!again.has(definition.id)) continue
      const lawful = definition.id === this.#entry(index).definition.id ? ['queued'] : ['pending', 'skipped']
      must(lawful.includes(status), `${definition.id} is ${status} after a rerun`)
      must(waitingAttempt === null && losses === 0, `${definition.id} is not fresh`)
    }
  }

  #entry(index: number) {
    const id = this.state.steps[index]?.definition.id ?? ''
    return this.ledger.step(id)
  }

  #moment(): number {
    return Math.max(this.now, this.state.updatedAt)
  }
}
