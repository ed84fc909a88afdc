import { commitForSure, sameClaim, untilAvailable } from './committer.ts'
import type { Decision } from './draft.ts'
import type { WorkflowObserver } from './events.ts'
import type { Followers } from './followers.ts'
import type { Hints } from './hints.ts'
import type { Clock } from './queue.ts'
import type { Change, Guard, WorkflowStore } from './store.ts'
import { decide } from './transitions.ts'
import type { Happening } from './transitions.ts'
import { addUsage } from './workflow.ts'
import type { Claim, StepState, Usage, WorkflowState } from './workflow.ts'

/** A happening, with the texts, files and calls that belong to it. */
export interface PlannedChange extends Partial<
  Pick<Change, 'outputs' | 'edits' | 'artifacts' | 'answers' | 'calls' | 'requestedOptions' | 'binding'>
> {
  readonly happening: Happening
}

/** A workflow that this replica holds the claim of. All its changes run one after the other. */
export interface HeldWorkflow {
  state(): WorkflowState
  claim(): Claim
  step(index: number): StepState
  /** Aborted when the workflow has ended or is somebody else's: nothing of it may be written any more. */
  readonly over: AbortSignal
  /** Makes a change; false when the state does not allow it any more, or the claim is gone. */
  change(plan: PlannedChange | (() => Promise<PlannedChange>)): Promise<boolean>
  /** Raises the claim to that of a job fetched again. */
  adopt(claim: Claim): Promise<boolean>
  /** Looks at what is stored; for when somebody else may have changed it. */
  refresh(): Promise<void>
  /** Milliseconds since the database was asked something whose answer proved that the claim is held. */
  provenMsAgo(): number
  addUsage(index: number, usage: Usage): Promise<void>
  /** Stops holding it, without a word to the database: its job lapses and somebody takes it again. */
  abandon(): void
}

export interface HeldWorkflowParts {
  readonly store: WorkflowStore
  readonly followers: Followers
  readonly hints: Hints
  readonly clock: Clock
  readonly observe: WorkflowObserver
  /** Told after every change, its own or found. */
  readonly onChanged: () => void
  /** Aborted when the process gives up waiting for a database that is away. */
  readonly abandoned: AbortSignal
}

const nothingBeside = {
  outputs: [],
  edits: [],
  artifacts: [],
  answers: [],
  calls: [],
  requestedOptions: null,
  binding: null,
} as const

/** What storage is to write for a decision. */
export function toChange(decision: Decision, planned: PlannedChange, by: { seen: number; guard: Guard }): Change {
  const { happening: _happening, ...writes } = planned
  return { ...nothingBeside, ...writes, ...decision, ...by }
}

/** Tells observers, readers and the other replicas of a committed decision. */
export function publish(parts: Pick<HeldWorkflowParts, 'observe' | 'followers' | 'hints'>, decision: Decision): void {
  const { state, events } = decision
  const { id, kind, type, createdAt } = state
  for (const event of events) {
    const found = event.step === null ? undefined : state.steps.find((step) => step.definition.id === event.step)
    const step = found === undefined ? null : { ...found.definition, taskId: found.taskId }
    parts.observe({
      workflow: { id, kind, type, createdAt },
      step: step === null ? null : { id: step.id, role: step.role, taskId: step.taskId },
      event,
    })
  }
  parts.followers.advance(id, state.seq)
  parts.hints.tell(id)
}

/** Runs what it is given one after the other; a failure stops nobody behind it. */
function createSerialQueue(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const turn = last.then(work)
    last = turn.catch(() => undefined)
    return turn
  }
}

function withUsage(state: WorkflowState, index: number, usage: Usage): WorkflowState {
  const add = (step: StepState) => (step.index === index ? { ...step, usage: addUsage(step.usage, usage) } : step)
  return { ...state, steps: state.steps.map(add) }
}

/** The ledger counts calls that are still open as estimated; here a call counts when it has ended, and only once. */
function withUsageOf(found: WorkflowState, known: WorkflowState): WorkflowState {
  return {
    ...found,
    steps: found.steps.map((step) => ({ ...step, usage: known.steps[step.index]?.usage ?? step.usage })),
  }
}

/** Holds a workflow whose claim was just taken: `taken` is its state under that claim. */
export function holdWorkflow(parts: HeldWorkflowParts, taken: WorkflowState, claim: Claim): HeldWorkflow {
  return new Holding(parts, taken, claim)
}

class Holding implements HeldWorkflow {
  readonly #parts: HeldWorkflowParts
  readonly #over = new AbortController()
  readonly #serially = createSerialQueue()
  #state: WorkflowState
  #claim: Claim
  #provenAt = performance.now()

  constructor(parts: HeldWorkflowParts, taken: WorkflowState, claim: Claim) {
    this.#parts = parts
    this.#state = taken
    this.#claim = claim
  }

  get over(): AbortSignal {
    return this.#over.signal
  }

  state(): WorkflowState {
    return this.#state
  }

  claim(): Claim {
    return this.#claim
  }

  step(index: number): StepState {
    const step = this.#state.steps[index]
    if (step === undefined) throw new Error(`there is no step ${index}`)
    return step
  }

  change(plan: PlannedChange | (() => Promise<PlannedChange>)): Promise<boolean> {
    return this.#serially(async () => {
      if (this.over.aborted) return false
      const planned = typeof plan === 'function' ? await untilAvailable(plan, this.#parts.abandoned) : plan
      return this.#write(planned, { kind: 'runner', claim: this.#claim })
    })
  }

  adopt(claim: Claim): Promise<boolean> {
    return this.#serially(async () => {
      const adopted = await this.#write({ happening: { type: 'adopted', claim } }, { kind: 'take', claim })
      if (adopted) this.#claim = claim
      return adopted
    })
  }

  refresh(): Promise<void> {
    return this.#serially(async () => {
      if (!this.over.aborted) await this.#reread()
    })
  }

  provenMsAgo(): number {
    return performance.now() - this.#provenAt
  }

  addUsage(index: number, usage: Usage): Promise<void> {
    return this.#serially(async () => {
      this.#state = withUsage(this.#state, index, usage)
    })
  }

  abandon(): void {
    this.#letGo()
  }

  async #write(planned: PlannedChange, guard: Guard): Promise<boolean> {
    const { store, clock, abandoned } = this.#parts
    while (!this.over.aborted) {
      const decision = decide(this.#state, planned.happening, { now: clock.now() })
      if (decision === null) return false
      const change = toChange(decision, planned, { seen: this.#state.seq, guard })
      const askedAt = performance.now()
      if (await commitForSure(store, change, abandoned)) {
        this.#provenAt = askedAt
        this.#settle(decision)
        return true
      }
      if (!(await this.#reread())) return false
    }
    return false
  }

  #settle(decision: Decision): void {
    this.#state = decision.state
    const handedOver = this.#state.activation !== this.#claim.activation
    if (!this.#state.active || handedOver) this.#letGo()
    publish(this.#parts, decision)
    this.#parts.onChanged()
  }

  async #reread(): Promise<boolean> {
    const { store, abandoned, onChanged } = this.#parts
    const askedAt = performance.now()
    const found = await untilAvailable(() => store.load(this.#state.id), abandoned)
    if (found !== null) this.#state = withUsageOf(found, this.#state)
    // Who hands over in our stead raises the activation and leaves the claim as it is.
    const held =
      found !== null &&
      found.active &&
      found.activation === this.#claim.activation &&
      sameClaim(found.claim, this.#claim)
    if (held) this.#provenAt = askedAt
    else this.#letGo()
    onChanged()
    return held
  }

  #letGo(): void {
    this.#over.abort(new Error('the workflow is no longer held here'))
  }
}
