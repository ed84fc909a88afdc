import { openBudgetBook } from './budget-book.ts'
import type { BudgetBook } from './budget-book.ts'
import { commitForSure, sameClaim, untilAvailable } from './committer.ts'
import type { Decision } from './draft.ts'
import { createHeldMaterials } from './held-materials.ts'
import type { HeldMaterials } from './held-materials.ts'
import { createChangeLine } from './change-line.ts'
import type { DecidedChange } from './change-line.ts'
import { joinDecisions, joinWrites, toChange } from './planned-change.ts'
import type { RunnerChange } from './planned-change.ts'
import { publishChange } from './publish-change.ts'
import type { PublishParts } from './publish-change.ts'
import type { Clock } from './queue.ts'
import type { Change, RunnableWorkflow, WorkflowStore } from './store.ts'
import { mayTake } from './take-workflow.ts'
import { decide } from './transitions.ts'
import { addUsage } from './workflow.ts'
import type { Claim, StepState, Usage, WorkflowState } from './workflow.ts'

/** A workflow that this replica holds the claim of. All its changes are made one after the other. */
export interface HeldWorkflow {
  /** As it will be when what was decided last is stored; until then nothing may leave the process because of it. */
  state(): WorkflowState
  /** As it was stored last. */
  stored(): Pick<WorkflowState, 'seq' | 'claim'>
  step(index: number): StepState
  readonly materials: HeldMaterials
  readonly book: BudgetBook
  /** Aborted when the workflow has ended or is somebody else's: nothing of it may be written any more. */
  readonly over: AbortSignal
  /** Takes the claim, unless it is taken already. false: it is somebody else's. */
  take(maxWorkerLosses: number): Promise<boolean>
  /**
   * Makes a change; false when the state does not allow it any more, the plan is null, or the claim is gone. Changes that wait together,
   * and what comes of them within a turn of the event loop, are stored together.
   */
  change(plan: RunnerChange | (() => Promise<RunnerChange | null>)): Promise<boolean>
  /** Raises the claim to that of a job fetched again. */
  adopt(claim: Claim): Promise<boolean>
  /** Looks at what is stored; for when somebody else may have changed it. */
  refresh(): Promise<void>
  /** Milliseconds since the database was asked something whose answer proved that the claim is held. */
  provenMsAgo(): number
  addUsage(index: number, usage: Usage): void
  /** Stops holding it, without a word to the database: its job lapses and somebody takes it again. */
  abandon(): void
}

export interface HeldWorkflowParts extends PublishParts {
  readonly store: WorkflowStore
  readonly clock: Clock
  /** Told after every change, its own or found. */
  readonly onChanged: () => void
  /** Aborted when the process gives up waiting for a database that is away. */
  readonly abandoned: AbortSignal
}

/** Holds a workflow to which a job gives the claim; it is to be taken before anything else. */
export function holdWorkflow(parts: HeldWorkflowParts, found: RunnableWorkflow, claim: Claim): HeldWorkflow {
  return new Holding(parts, found, claim)
}

class Holding implements HeldWorkflow {
  readonly materials: HeldMaterials
  readonly book: BudgetBook
  readonly #parts: HeldWorkflowParts
  readonly #over = new AbortController()
  readonly #line = createChangeLine({
    decide: (planned) => this.#decide(planned),
    commit: (decided) => this.#commit(decided),
    revert: () => (this.#state = withUsageOf(this.#stored, this.#state)),
    show: () => this.#show(),
  })
  #taken: boolean
  #state: WorkflowState
  #stored: WorkflowState
  #claim: Claim
  #provenAt = performance.now()

  constructor(parts: HeldWorkflowParts, { state, input }: RunnableWorkflow, claim: Claim) {
    this.#parts = parts
    this.#state = state
    this.#stored = state
    this.#claim = claim
    this.#taken = sameClaim(state.claim, claim)
    this.materials = createHeldMaterials(parts, { id: state.id, input })
    this.book = openBudgetBook(parts.store, { id: state.id, budget: () => this.#state.options.budget ?? null })
  }

  get over(): AbortSignal {
    return this.#over.signal
  }

  state(): WorkflowState {
    return this.#state
  }

  stored(): WorkflowState {
    return this.#stored
  }

  step(index: number): StepState {
    const step = this.#state.steps[index]
    if (step === undefined) throw new Error(`there is no step ${index}`)
    return step
  }

  async take(maxWorkerLosses: number): Promise<boolean> {
    if (this.#taken) return true
    const claim = this.#claim
    const happening = { type: 'taken', claim, maxWorkerLosses } as const
    try {
      await this.#line.make({ plan: async () => ({ happening }), take: claim })
    } finally {
      // Also when it cannot be stored: whoever gets the job next may be able to.
      if (!this.#taken) this.#letGo()
    }
    return this.#taken
  }

  change(plan: RunnerChange | (() => Promise<RunnerChange | null>)): Promise<boolean> {
    const { abandoned } = this.#parts
    return this.#line.make({
      plan: typeof plan === 'function' ? () => untilAvailable(plan, abandoned) : async () => plan,
      take: null,
    })
  }

  adopt(claim: Claim): Promise<boolean> {
    return this.#line.make({ plan: async () => ({ happening: { type: 'adopted', claim } }), take: claim })
  }

  refresh(): Promise<void> {
    return this.#line.between(async () => {
      if (!this.over.aborted) await this.#reread()
    })
  }

  provenMsAgo(): number {
    return performance.now() - this.#provenAt
  }

  addUsage(index: number, usage: Usage): void {
    this.#state = withUsage(this.#state, index, usage)
  }

  abandon(): void {
    this.#letGo()
  }

  #decide({ happening }: RunnerChange): Decision | null {
    if (this.over.aborted || !this.#isMineIn(this.#state)) return null
    if (happening.type === 'taken' && this.#taken) return null
    const decision = decide(this.#state, happening, { now: this.#parts.clock.now() })
    if (decision !== null) this.#state = decision.state
    return decision
  }

  #show(): boolean {
    const mayBegin = this.#isMineIn(this.#state) && this.#state.steps.some(({ status }) => status === 'queued')
    if (mayBegin) this.#parts.onChanged()
    return mayBegin
  }

  async #commit(decided: readonly DecidedChange[]): Promise<'stored' | 'again' | 'refused'> {
    const { store, abandoned } = this.#parts
    const take = decided[0]?.wanted.take ?? null
    const guard = { kind: take === null ? 'runner' : 'take', claim: take ?? this.#claim } as const
    const decision = joinDecisions(decided.map((one) => one.decision))
    const writes = joinWrites(decided.map(({ planned }) => planned))
    const change = toChange(decision, writes, { seen: this.#stored.seq, guard })
    const askedAt = performance.now()
    if (!(await commitForSure(store, change, abandoned))) return (await this.#reread()) ? 'again' : 'refused'
    this.#provenAt = askedAt
    this.#claim = guard.claim
    this.#taken = true
    this.#settle(decision, change.outputs)
    return 'stored'
  }

  #settle(decision: Decision, texts: Change['outputs']): void {
    this.#stored = decision.state
    if (!this.#isMineIn(decision.state)) this.#letGo()
    publishChange(this.#parts, decision, texts)
    this.#parts.onChanged()
  }

  /** Who hands over in our stead raises the activation and leaves the claim as it is. */
  #isMineIn(state: WorkflowState): boolean {
    return state.active && state.activation === this.#claim.activation
  }

  async #reread(): Promise<boolean> {
    const { store, abandoned, onChanged } = this.#parts
    const askedAt = performance.now()
    const found = await untilAvailable(() => store.load(this.#stored.id), abandoned)
    if (found !== null) {
      this.#stored = found
      this.#state = withUsageOf(found, this.#state)
    }
    const held = found !== null && this.#isHeldIn(found)
    if (held) this.#provenAt = askedAt
    else this.#letGo()
    onChanged()
    return held
  }

  #isHeldIn(found: WorkflowState): boolean {
    const hasMyClaim = this.#isMineIn(found) && sameClaim(found.claim, this.#claim)
    // Taken after all, although the answer was lost.
    this.#taken ||= hasMyClaim
    return this.#taken ? hasMyClaim : mayTake(found, this.#claim)
  }

  #letGo(): void {
    this.#over.abort(new Error('the workflow is no longer held here'))
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
