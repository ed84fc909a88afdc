import type { LifecycleEvent, LifecycleType } from './events.ts'
import type { AttemptRecord } from './store.ts'
import { noUsage, addUsage } from './workflow.ts'
import type { StepState, Usage, WorkflowState } from './workflow.ts'

/** What a transition has decided: the state afterwards, and what has to be written to make it true. */
export interface Decision {
  readonly state: WorkflowState
  readonly events: readonly LifecycleEvent[]
  readonly changedSteps: readonly number[]
  readonly attempts: readonly AttemptRecord[]
  readonly completeJob: string | null
  readonly sendJob: boolean
}

/** When something happens, and through whom. */
export interface Moment {
  /** Milliseconds since the epoch, by the database's clock. */
  readonly now: number
  /** Of the request that caused it; without one, that of the start. */
  readonly correlationId?: string
  /** Id of the job to send if it makes an inactive workflow run. */
  readonly jobId?: string
}

type Mutable<T> = { -readonly [key in keyof T]: T[key] }

interface NewEvent {
  readonly step?: StepState
  readonly data?: Readonly<Record<string, unknown>>
}

/** A transition in the making: collects changes of one workflow, all of one moment. */
export class Draft {
  readonly workflow: Mutable<WorkflowState>
  /** Moment of the transition, never before the last one. */
  readonly at: number
  completeJob: string | null = null
  sendJob = false
  readonly #correlationId: string
  readonly #events: LifecycleEvent[] = []
  readonly #changed = new Set<number>()
  readonly #attempts: AttemptRecord[] = []

  readonly #jobId: string | null

  constructor(state: WorkflowState, moment: Moment) {
    this.at = Math.max(moment.now, state.updatedAt)
    this.workflow = { ...state, updatedAt: this.at }
    this.#correlationId = moment.correlationId ?? state.correlationId
    this.#jobId = moment.jobId ?? null
  }

  /** Has it run: with a new activation and its job. Only for one that nobody runs. */
  activate(): void {
    if (this.#jobId === null) throw new Error('an activation needs the id of its job')
    this.workflow.active = true
    this.workflow.activation += 1
    this.workflow.jobId = this.#jobId
    this.sendJob = true
  }

  /** Nobody runs it any more, if somebody did; its time running stands still. */
  letGo(): void {
    const { active, jobId, runningMs, runningSince } = this.workflow
    if (active) this.completeJob = jobId
    this.workflow.active = false
    this.workflow.runningMs = runningMs + (runningSince === null ? 0 : this.at - runningSince)
    this.workflow.runningSince = null
  }

  step(index: number): StepState {
    const found = this.workflow.steps[index]
    if (found === undefined) throw new Error(`there is no step ${index}`)
    return found
  }

  /** Changes one step and returns it as it is now. */
  patch(index: number, change: Partial<StepState>): StepState {
    const changed = { ...this.step(index), ...change }
    this.workflow.steps = this.workflow.steps.with(index, changed)
    this.#changed.add(index)
    return changed
  }

  /** Numbers an event; returns its number. */
  emit(type: LifecycleType, { step, data = {} }: NewEvent = {}): number {
    this.workflow.seq += 1
    this.#events.push({
      seq: this.workflow.seq,
      type,
      at: this.at,
      correlationId: this.#correlationId,
      step: step?.definition.id ?? null,
      attempt: step?.attempt ?? null,
      data,
    })
    return this.workflow.seq
  }

  /** Opens the step's next attempt. */
  openAttempt(index: number, place: { readonly endpoint: string; readonly model: string }): StepState {
    const { attempt, startedAt } = this.step(index)
    const opened = this.patch(index, {
      ...place,
      status: 'running',
      attempt: attempt + 1,
      startedAt: startedAt ?? this.at,
      runningSince: this.at,
      notBefore: null,
      finishReason: null,
    })
    this.#record(opened, { status: 'open', startedAt: this.at, endedAt: null, error: null })
    return opened
  }

  /** Closes the open attempt; its time counts from here on. */
  closeAttempt(index: number, status: 'kept' | 'void', change: Partial<StepState>): StepState {
    const { runningSince, runningMs } = this.step(index)
    const startedAt = runningSince ?? this.at
    const closed = this.patch(index, { ...change, runningSince: null, runningMs: runningMs + this.at - startedAt })
    this.#record(closed, { status, startedAt, endedAt: this.at, error: change.error ?? null })
    return closed
  }

  /** Sum over the steps' ledgers. */
  usage(): Usage {
    return this.workflow.steps.reduce((sum, step) => addUsage(sum, step.usage), noUsage)
  }

  decision(): Decision {
    return {
      state: this.workflow,
      events: this.#events,
      changedSteps: [...this.#changed],
      attempts: this.#attempts,
      completeJob: this.completeJob,
      sendJob: this.sendJob,
    }
  }

  #record(step: StepState, rest: Pick<AttemptRecord, 'status' | 'startedAt' | 'endedAt' | 'error'>): void {
    const { index, attempt, endpoint, model, finishReason } = step
    this.#attempts.push({ stepIndex: index, attempt, endpoint, model, finishReason, ...rest })
  }
}
