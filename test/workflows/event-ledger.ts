import { isEnd } from '../../src/workflows/events.ts'
import type { LifecycleEvent } from '../../src/workflows/events.ts'
import type { StepDefinition, WorkflowState, WorkflowStatus } from '../../src/workflows/workflow.ts'
import { endedStatuses as ended, lawfulBefore, lawfulFrom, leadsTo, statusAfter } from './event-order.ts'
import type { ToldStatus } from './event-order.ts'

/** A step as the events tell of it. */
export interface StepEntry {
  readonly definition: StepDefinition
  status: ToldStatus
  attempt: number
  open: boolean
  /** Newest attempt that was kept. */
  kept: number | null
  /** It has a kept text that waits, or waited, for an answer. */
  unanswered: boolean
  /** When its open gate closes. */
  closesAt: number | null
  /** How often it ran again because of a rejection. */
  revisions: number
  error: { readonly code: string; readonly message: string } | null
  endedSeq: number | null
}

const neverTolerated = ['budget_exhausted', 'rejected', 'approval_expired']

/**
 * Reads the events of one workflow as a stranger would, and knows the contract's rules for them by heart. It shares
 * nothing with the transitions: what it finds wrong, it throws.
 */
export class EventLedger {
  readonly steps: ReadonlyMap<string, StepEntry>
  readonly #maxRevisions: number
  #status: WorkflowStatus = 'queued'
  #seq = 0
  #at = 0
  #runningMs = 0
  #startedAt: number | null = null

  constructor({ steps }: WorkflowState, { maxRevisions }: { readonly maxRevisions: number }) {
    this.#maxRevisions = maxRevisions
    const unread = { attempt: 0, open: false, kept: null, unanswered: false, closesAt: null, revisions: 0 }
    this.steps = new Map(
      steps.map(({ definition }) => {
        return [definition.id, { definition, status: 'pending', ...unread, error: null, endedSeq: null }]
      }),
    )
  }

  get status(): WorkflowStatus {
    return this.#status
  }

  get seq(): number {
    return this.#seq
  }

  /** Time from each start to the wait or end after it. */
  get runningMs(): number {
    return this.#runningMs
  }

  read(event: LifecycleEvent): void {
    this.#must(event.seq === this.#seq + 1, event, `comes after ${this.#seq}`)
    this.#must(event.at >= this.#at, event, 'runs back in time')
    this.#must((event.seq === 1) === (event.type === 'workflow.queued'), event, 'is not where it belongs')
    this.#must(!this.#hasEnded() || event.type === 'workflow.resumed', event, 'comes after the end')
    this.#seq = event.seq
    this.#at = event.at
    if (event.step === null) this.#readWorkflow(event)
    else this.#readStep(event, this.step(event.step))
  }

  /** What must hold between two transactions. */
  settle(): void {
    const all = [...this.steps.values()]
    const busy = all.some(({ status }) => status === 'queued' || status === 'running')
    const waiting = all.some(({ status }) => status === 'waiting')
    const must = (holds: boolean, complaint: string) => {
      if (!holds) throw new Error(`after ${this.#seq}: ${complaint}`)
    }
    must(busy === (this.#status === 'queued' || this.#status === 'running'), `it is ${this.#status}, busy: ${busy}`)
    must((waiting && !busy) === (this.#status === 'waiting'), `it is ${this.#status}, with gates: ${waiting}`)
    for (const { definition, status } of all) {
      must(status !== 'approved' && status !== 'rejected', `${definition.id} is left in the middle`)
      if (status !== 'pending') continue
      const before = definition.dependsOn.map((id) => this.step(id))
      must(!before.every((step) => this.isDone(step)), `${definition.id} is ready, and not queued`)
      const hopeless = before.some((step) => ended.has(step.status) && !this.isDone(step))
      must(!hopeless, `${definition.id} cannot run any more, and is not skipped`)
    }
  }

  step(id: string): StepEntry {
    const step = this.steps.get(id)
    if (step === undefined) throw new Error(`there is no step ${id}`)
    return step
  }

  isDone(step: StepEntry): boolean {
    return step.status === 'completed' || this.#isTolerated(step)
  }

  /** The step and all that depends on it, directly or not. */
  withDependents(id: string): ReadonlySet<string> {
    const found = new Set([id])
    for (const _ of this.steps) {
      for (const [other, { definition }] of this.steps) {
        if (definition.dependsOn.some((before) => found.has(before))) found.add(other)
      }
    }
    return found
  }

  /** The rule "The end" of the contract. */
  endByTheRule(): Pick<WorkflowState, 'status' | 'reason'> & { readonly error: StepEntry['error'] } {
    const all = [...this.steps.values()]
    if (all.some(({ status }) => status === 'cancelled')) {
      return { status: 'cancelled', reason: 'cancelled_by_client', error: null }
    }
    const bad = all.filter((step) => !this.isDone(step))
    if (bad.length === 0) {
      const clean = all.every(({ status }) => status === 'completed')
      return { status: 'completed', reason: clean ? null : 'with_failures', error: null }
    }
    const broken = bad
      .filter(({ status }) => status !== 'skipped')
      .toSorted((a, b) => (a.endedSeq ?? 0) - (b.endedSeq ?? 0))
    const reason = neverTolerated.find((code) => broken.some(({ error }) => error?.code === code))
    const first = broken.find(({ error }) => reason === undefined || error?.code === reason)
    return { status: 'failed', reason: reason ?? 'step_failed', error: first?.error ?? null }
  }

  #readWorkflow(event: LifecycleEvent): void {
    const status = event.data['status'] as WorkflowStatus
    this.#must(lawfulBefore[event.type]?.includes(this.#status) === true, event, `comes while it is ${this.#status}`)
    if (event.type === 'workflow.started') this.#startedAt = event.at
    else this.#stand(event)
    if (event.type === 'workflow.resumed') this.#readRevival(event, status)
    else this.#must(status === statusAfter[event.type], event, 'names another status')
    if (isEnd(event.type)) this.#readEnd(event)
    this.#status = status
  }

  #readRevival(event: LifecycleEvent, status: WorkflowStatus): void {
    const { from, reset } = event.data as { readonly from: WorkflowStatus; readonly reset: readonly string[] }
    this.#must(from === this.#status, event, `is from ${from}, not ${this.#status}`)
    this.#must(status === 'queued' || (status === 'waiting' && this.#hasEnded()), event, `leads to ${status}`)
    const all = [...this.steps.keys()]
    const lost = all.filter((id) => !this.isDone(this.step(id)))
    const reruns = all
      .filter((id) => this.step(id).definition.dependsOn.every((before) => this.isDone(this.step(before))))
      .map((id) => all.filter((other) => this.withDependents(id).has(other)))
    const resumes = this.#status === 'completed' ? [] : [lost]
    const lawful = this.#hasEnded() ? [...resumes, ...reruns] : [[]]
    this.#must(
      lawful.some((ids) => ids.join() === reset.join()),
      event,
      `resets ${reset.join()}`,
    )
    for (const id of reset) {
      Object.assign(this.step(id), { status: 'pending', error: null, endedSeq: null, revisions: 0 })
    }
  }

  #readEnd(event: LifecycleEvent): void {
    const open = [...this.steps.values()].filter((step) => !ended.has(step.status))
    this.#must(open.length === 0, event, 'comes before every step has ended')
    const { status, reason, error } = this.endByTheRule()
    this.#must(event.type === `workflow.${status}`, event, `should be ${status}`)
    this.#must(event.data['reason'] === reason, event, `has reason ${String(event.data['reason'])}, not ${reason}`)
    this.#must((event.data['error'] ?? null) === error, event, `has another error than ${error?.message}`)
    this.#must(event.data['duration_ms'] === this.#runningMs, event, `did not run ${this.#runningMs} ms`)
  }

  #stand({ at }: LifecycleEvent): void {
    this.#runningMs += this.#startedAt === null ? 0 : at - this.#startedAt
    this.#startedAt = null
  }

  #readStep(event: LifecycleEvent, step: StepEntry): void {
    const { type } = event
    if (type === 'step.started') step.attempt += 1
    this.#must(event.attempt === step.attempt, event, `is of attempt ${event.attempt}, not ${step.attempt}`)
    this.#must(lawfulFrom[type]?.includes(step.status) === true, event, `comes while it is ${step.status}`)
    if (type === 'step.queued' || type === 'step.started') this.#checkBeginning(event, step)
    if (type === 'step.waiting') this.#checkGate(event, step)
    if (type === 'step.completed') {
      this.#must(step.definition.approval === (step.status === 'approved'), event, 'has nobody to approve it')
    }
    if (type === 'step.failed') this.#checkFailure(event, step)
    if (type === 'step.skipped') this.#checkSkipped(event, step)
    const to = leadsTo[type]
    if (to !== undefined) this.#move(event, step, to)
  }

  #move(event: LifecycleEvent, step: StepEntry, to: ToldStatus): void {
    const error = (event.data['error'] ?? null) as StepEntry['error']
    step.status = to
    step.open = to === 'running'
    step.closesAt = to === 'waiting' ? closingTime(event) : null
    if (to === 'waiting' || to === 'completed' || to === 'incomplete') step.kept = step.attempt
    if (to === 'waiting') step.unanswered = true
    if (to === 'approved' || to === 'rejected' || to === 'queued') step.unanswered = false
    if (!ended.has(to)) return
    this.#must((error !== null) === (to === 'failed' || to === 'incomplete'), event, 'tells no error')
    step.error = error
    step.endedSeq = event.seq
  }

  #checkBeginning(event: LifecycleEvent, step: StepEntry): void {
    const lawful = event.type === 'step.started' ? ['running'] : ['queued', 'running']
    this.#must(lawful.includes(this.#status), event, `comes while the workflow is ${this.#status}`)
    const early = step.definition.dependsOn.filter((before) => !this.isDone(this.step(before)))
    this.#must(early.length === 0, event, `comes before ${early.join()} counts as done`)
    if (step.status === 'rejected') step.revisions += 1
    this.#must(step.revisions <= this.#maxRevisions, event, `is revision ${step.revisions}`)
  }

  #checkGate(event: LifecycleEvent, { definition, status, unanswered }: StepEntry): void {
    this.#must(definition.approval, event, 'is of a step without a gate')
    this.#must(status === 'running' || unanswered, event, 'opens a gate that was answered')
    const closesAt = closingTime(event)
    this.#must(closesAt === null || closesAt > event.at, event, `closes at ${closesAt}`)
  }

  #checkFailure(event: LifecycleEvent, { status, closesAt, revisions }: StepEntry): void {
    const { code } = event.data['error'] as NonNullable<StepEntry['error']>
    this.#must((code === 'rejected') === (status === 'rejected'), event, `is ${code} while it is ${status}`)
    this.#must((code === 'approval_expired') === (status === 'waiting'), event, `is ${code} while it is ${status}`)
    if (status === 'rejected') this.#must(revisions === this.#maxRevisions, event, `comes after ${revisions} revisions`)
    if (status === 'waiting') this.#must(closesAt !== null && closesAt <= event.at, event, `comes before ${closesAt}`)
  }

  #checkSkipped(event: LifecycleEvent, { definition }: StepEntry): void {
    const because = String(event.data['dependency'])
    this.#must(event.data['reason'] === 'dependency_failed', event, 'has no reason')
    this.#must(definition.dependsOn.includes(because), event, `names ${because}`)
    this.#must(ended.has(this.step(because).status) && !this.isDone(this.step(because)), event, `blames ${because}`)
  }

  #isTolerated({ status, definition, error }: StepEntry): boolean {
    if (status !== 'failed' && status !== 'incomplete') return false
    return definition.onFailure === 'continue' && !neverTolerated.includes(error?.code ?? '')
  }

  #hasEnded(): boolean {
    return this.#status === 'completed' || this.#status === 'failed' || this.#status === 'cancelled'
  }

  #must(holds: boolean, { seq, type, step }: LifecycleEvent, complaint: string): void {
    if (!holds) throw new Error(`${seq} ${type}${step === null ? '' : ` of ${step}`} ${complaint}`)
  }
}

function closingTime({ data }: LifecycleEvent): number | null {
  const expires = data['expires_at'] as string | null
  return expires === null ? null : Date.parse(expires)
}
