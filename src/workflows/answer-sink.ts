import type { AnswerSink, CallEstimate } from '../agents/agent.ts'
import type { CostOf } from '../llm/prices.ts'
import { untilAvailable } from './committer.ts'
import type { Followers } from './followers.ts'
import type { HeldWorkflow } from './held-workflow.ts'
import type { LedgerCall, Reserved } from './ledger-call.ts'
import type { LiveAttempt } from './live-texts.ts'
import type { NewCall, SettledCall, WorkflowStore } from './store.ts'

/** Well below the time after which others may take a workflow over. */
const longestDoubtMs = 3000

/** Told of every call that has ended, with whose it was; must not throw. */
export type CallObserver = (ended: { readonly owner: string; readonly usage: SettledCall['usage'] }) => void

export interface AnswerSinkParts {
  readonly store: WorkflowStore
  readonly followers: Followers
  readonly streamReasoning: boolean
  readonly costOf: CostOf
  readonly observeCall?: CallObserver
  /** Aborted when the process gives up waiting for a database that is away. */
  readonly abandoned: AbortSignal
}

export interface AnswerSinkTarget {
  readonly hold: HeldWorkflow
  readonly index: number
  readonly live: LiveAttempt
  /** Stored together with `step.started`. */
  readonly firstCall: NewCall
  /** Plans a further call. */
  readonly plan: (estimate: CallEstimate) => LedgerCall
  /** Length of the text that opens this attempt unpaid, and how often its makers had been asked to go on. */
  readonly carried: CarriedText
  /** Aborted when the step's time is up or the workflow is no longer held. */
  readonly signal: AbortSignal
}

/** How much of an attempt's text is from whole calls, and how often the model had been asked to go on for it. */
export interface CarriedText {
  readonly length: number
  readonly continuations: number
}

/** Where an answer goes while it is made. */
export interface LedgerSink extends AnswerSink {
  carried(): CarriedText
  /** Calls that have ended and are still to be settled. */
  unsettled(): readonly SettledCall[]
  /** They have been settled with the answer. */
  areSettled(): void
  settle(): Promise<void>
}

/** Passes an answer on while it is made: text to readers, calls to the ledger. */
export function createAnswerSink(parts: AnswerSinkParts, target: AnswerSinkTarget): LedgerSink {
  return new Ledger(parts, target)
}

class Ledger implements LedgerSink {
  readonly #parts: AnswerSinkParts
  readonly #target: AnswerSinkTarget
  readonly #workflowId: string
  /** It has a row, and was not made yet. */
  #next: NewCall | null
  /** The one that was made last. */
  #call: NewCall
  #carried: CarriedText
  #unsettled: readonly SettledCall[] = []
  /** It is to be told that the next call asks to go on, for the n-th time. */
  #continuing: number | null = null

  constructor(parts: AnswerSinkParts, target: AnswerSinkTarget) {
    this.#parts = parts
    this.#target = target
    this.#carried = target.carried
    this.#next = target.firstCall
    this.#call = target.firstCall
    this.#workflowId = target.hold.state().id
  }

  carried(): CarriedText {
    return this.#carried
  }

  unsettled(): readonly SettledCall[] {
    return this.#unsettled
  }

  areSettled(): void {
    this.#unsettled = []
  }

  async settle(): Promise<void> {
    const { store, abandoned } = this.#parts
    const neverMade = this.#next
    this.#next = null
    if (neverMade !== null) {
      this.#target.hold.book.release(neverMade.id)
      await untilAvailable(() => store.dropCall(neverMade.id), abandoned)
    }
    const calls = this.#unsettled
    this.#unsettled = []
    for (const ended of calls) await untilAvailable(() => store.settleCall(ended), abandoned)
  }

  text(text: string): void {
    this.#target.live.output.append(text)
    this.#parts.followers.grew(this.#workflowId)
  }

  reasoning(text: string): void {
    if (!this.#parts.streamReasoning) return
    this.#target.live.reasoning.append(text)
    this.#parts.followers.grew(this.#workflowId)
  }

  async callStarting(estimate: CallEstimate): Promise<number> {
    const { hold, signal } = this.#target
    if (this.#next === null) this.#next = await this.#storeNext(estimate)
    else await this.#tellOfContinuing()
    // Who was frozen since may have lost the workflow, and must not pay for what another has done meanwhile.
    if (hold.provenMsAgo() > longestDoubtMs) await hold.refresh()
    signal.throwIfAborted()
    this.#call = this.#next
    this.#next = null
    return this.#call.maxTokens
  }

  async callEnded({ usage, finishReason }: Parameters<AnswerSink['callEnded']>[0]): Promise<void> {
    const { hold, index } = this.#target
    const settled = this.#end(this.#call, { usage, finishReason })
    hold.addUsage(index, { ...settled.usage, llmCalls: 1 })
    this.#parts.observeCall?.({ owner: hold.state().owner, usage: settled.usage })
  }

  continuing(n: number): void {
    this.#carried = { length: this.#target.live.output.length, continuations: n }
    this.#continuing = n
  }

  #end(call: NewCall, { usage, finishReason }: Parameters<AnswerSink['callEnded']>[0]): SettledCall {
    const priced = { ...usage, costUsd: this.#parts.costOf(call.model, usage) }
    const settled = { id: call.id, usage: priced, finishReason }
    this.#unsettled = [...this.#unsettled, settled]
    const tokens = usage.inputTokens + usage.outputTokens
    this.#target.hold.book.settle(call.id, { tokens, costUsd: priced.costUsd ?? 0 })
    return settled
  }

  /** The first call goes on where carried text ends. */
  async #tellOfContinuing(): Promise<void> {
    const { hold, index } = this.#target
    const n = this.#continuing
    this.#continuing = null
    if (n !== null) await hold.change({ happening: { type: 'step_continued', step: index, n } })
  }

  /** The row of a further call is stored with its event, under the claim: who has lost that makes no call. */
  async #storeNext(estimate: CallEstimate): Promise<NewCall> {
    const { hold, index, plan, signal } = this.#target
    const planned = plan(estimate)
    const n = this.#continuing ?? 1
    for (;;) {
      const settled = this.#unsettled
      const answer: { reserved: Reserved | null } = { reserved: null }
      const stored = await hold.change(async () => {
        const reserved = await planned.reserve()
        answer.reserved = reserved
        if (reserved.kind !== 'granted') return null
        return { happening: { type: 'step_continued', step: index, n }, calls: [reserved.call], settled }
      })
      const { reserved } = answer
      if (stored && reserved?.kind === 'granted') {
        this.#continuing = null
        this.#unsettled = this.#unsettled.filter((call) => !settled.includes(call))
        return reserved.call
      }
      if (reserved?.kind === 'refused') throw reserved.error
      planned.release()
      hold.over.throwIfAborted()
      if (reserved?.kind !== 'later') throw new Error('a step that runs could not be continued')
      await unlessAborted(reserved.freed, signal)
    }
  }
}

/** Rejects with the signal's reason when it is aborted first. */
export async function unlessAborted(wait: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const aborted = Promise.withResolvers<never>()
  const abort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    await Promise.race([wait, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
