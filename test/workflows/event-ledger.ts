import type { LifecycleEvent, LifecycleType } from '../../src/workflows/events.ts'
import type { WorkflowState } from '../../src/workflows/workflow.ts'

type EndedAs = 'completed' | 'incomplete' | 'failed' | 'skipped' | 'cancelled'

interface StepEntry {
  attempt: number
  open: boolean
  ended: EndedAs | null
  errorCode: string | null
  endedSeq: number | null
}

const endings: Partial<Record<LifecycleType, EndedAs>> = {
  'step.completed': 'completed',
  'step.incomplete': 'incomplete',
  'step.failed': 'failed',
  'step.skipped': 'skipped',
  'step.cancelled': 'cancelled',
}
const workflowEnds = new Set<LifecycleType>(['workflow.completed', 'workflow.failed', 'workflow.cancelled'])
const needsOpen = new Set<LifecycleType>([
  'step.retrying',
  'step.continued',
  'artifact.created',
  'step.completed',
  'step.incomplete',
])

/**
 * Reads the events of one workflow as a stranger would, and knows the contract's rules for them by heart. It shares
 * nothing with the transitions: what it finds wrong, it throws.
 */
export class EventLedger {
  readonly #definitions: ReadonlyMap<string, WorkflowState['steps'][number]['definition']>
  readonly #steps = new Map<string, StepEntry>()
  #seq = 0
  #at = 0
  #end: LifecycleEvent | null = null

  constructor({ steps }: WorkflowState) {
    this.#definitions = new Map(steps.map(({ definition }) => [definition.id, definition]))
    for (const { definition } of steps) {
      this.#steps.set(definition.id, { attempt: 0, open: false, ended: null, errorCode: null, endedSeq: null })
    }
  }

  get end(): LifecycleEvent | null {
    return this.#end
  }

  get seq(): number {
    return this.#seq
  }

  /** Steps that have ended, and how. */
  endings(): ReadonlyMap<string, EndedAs | null> {
    return new Map(Array.from(this.#steps, ([id, step]) => [id, step.ended]))
  }

  read(event: LifecycleEvent): void {
    this.#must(this.#end === null, event, 'comes after the end')
    this.#must(event.seq === this.#seq + 1, event, `comes after ${this.#seq}`)
    this.#must(event.at >= this.#at, event, 'runs back in time')
    this.#must((event.seq === 1) === (event.type === 'workflow.queued'), event, 'is not where it belongs')
    this.#seq = event.seq
    this.#at = event.at
    if (event.step === null) this.#readWorkflow(event)
    else this.#readStep(event, event.step)
  }

  #readWorkflow(event: LifecycleEvent): void {
    if (!workflowEnds.has(event.type)) return
    const open = [...this.#steps.values()].filter((step) => step.ended === null)
    this.#must(open.length === 0, event, 'comes before every step has ended')
    const { status, reason, error } = this.endByTheRule()
    this.#must(event.type === `workflow.${status}`, event, `should be ${status}`)
    this.#must(event.data['status'] === status, event, 'names another status')
    this.#must(event.data['reason'] === reason, event, `has reason ${String(event.data['reason'])}, not ${reason}`)
    const told = (event.data['error'] as { code: string; message: string } | undefined)?.message ?? null
    this.#must(told === error, event, `has the error ${told}, not ${error}`)
    this.#end = event
  }

  #readStep(event: LifecycleEvent, id: string): void {
    const step = this.#step(id)
    this.#must(step.ended === null, event, 'comes after its step has ended')
    if (event.type === 'step.started') {
      this.#must(!step.open, event, 'opens a second attempt')
      this.#must(event.attempt === step.attempt + 1, event, `opens ${event.attempt} after ${step.attempt}`)
      step.attempt += 1
      step.open = true
    }
    if (event.type === 'step.queued' || event.type === 'step.started') {
      const early = this.#definition(id).dependsOn.filter((dependency) => !this.#isDone(dependency))
      this.#must(early.length === 0, event, `comes before ${early.join()} counts as done`)
    }
    this.#must(event.attempt === step.attempt, event, `is of attempt ${event.attempt}, not ${step.attempt}`)
    if (needsOpen.has(event.type)) this.#must(step.open, event, 'has no open attempt')
    if (event.type === 'step.retrying') step.open = false
    const ended = endings[event.type]
    if (ended !== undefined) this.#endStep(event, { id, step, ended })
  }

  #endStep(event: LifecycleEvent, { id, step, ended }: { id: string; step: StepEntry; ended: EndedAs }): void {
    if (ended === 'skipped') {
      const dependency = String(event.data['dependency'])
      this.#must(event.data['reason'] === 'dependency_failed', event, 'has no reason')
      this.#must(this.#definition(id).dependsOn.includes(dependency), event, `names ${dependency}`)
      this.#must(this.#step(dependency).ended !== null && !this.#isDone(dependency), event, `blames ${dependency}`)
    }
    const error = event.data['error'] as { code: string; message: string } | undefined
    this.#must((error !== undefined) === (ended === 'failed' || ended === 'incomplete'), event, 'tells no error')
    Object.assign(step, { ended, open: false, errorCode: error?.code ?? null, endedSeq: event.seq })
    this.#errors.set(id, error?.message ?? null)
  }

  readonly #errors = new Map<string, string | null>()

  #isDone(id: string): boolean {
    const { ended } = this.#step(id)
    return ended === 'completed' || this.#isTolerated(id)
  }

  #isTolerated(id: string): boolean {
    const { ended, errorCode } = this.#step(id)
    if (ended !== 'failed' && ended !== 'incomplete') return false
    return this.#definition(id).onFailure === 'continue' && errorCode !== 'budget_exhausted'
  }

  /** The rule "The end" of the contract; `error` is the message of the step's error. */
  endByTheRule(): { readonly status: string; readonly reason: string | null; readonly error: string | null } {
    const ids = [...this.#steps.keys()]
    const ended = (id: string) => this.#step(id).ended
    if (ids.some((id) => ended(id) === 'cancelled')) {
      return { status: 'cancelled', reason: 'cancelled_by_client', error: null }
    }
    const bad = ids.filter((id) => ended(id) !== 'completed' && !this.#isTolerated(id))
    if (bad.length === 0) {
      const clean = ids.every((id) => ended(id) === 'completed')
      return { status: 'completed', reason: clean ? null : 'with_failures', error: null }
    }
    const broken = bad
      .filter((id) => ended(id) !== 'skipped')
      .toSorted((a, b) => (this.#step(a).endedSeq ?? 0) - (this.#step(b).endedSeq ?? 0))
    const spent = broken.find((id) => this.#step(id).errorCode === 'budget_exhausted')
    const first = spent ?? broken[0]
    const reason = spent === undefined ? 'step_failed' : 'budget_exhausted'
    return { status: 'failed', reason, error: first === undefined ? null : (this.#errors.get(first) ?? null) }
  }

  #step(id: string): StepEntry {
    const step = this.#steps.get(id)
    if (step === undefined) throw new Error(`there is no step ${id}`)
    return step
  }

  #definition(id: string) {
    const definition = this.#definitions.get(id)
    if (definition === undefined) throw new Error(`there is no step ${id}`)
    return definition
  }

  #must(holds: boolean, { seq, type, step }: LifecycleEvent, complaint: string): void {
    if (!holds) throw new Error(`${seq} ${type}${step === null ? '' : ` of ${step}`} ${complaint}`)
  }
}
