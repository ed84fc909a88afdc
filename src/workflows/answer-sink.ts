import type { AnswerSink, CallEstimate } from '../agents/agent.ts'
import type { CostOf } from '../llm/prices.ts'
import { untilAvailable } from './committer.ts'
import type { Followers } from './followers.ts'
import type { HeldWorkflow } from './held-workflow.ts'
import type { LiveAttempt } from './live-texts.ts'
import type { NewCall, SettledCall, WorkflowStore } from './store.ts'

/** Well below the time after which others may take a workflow over. */
const longestDoubtMs = 3000

export interface AnswerSinkParts {
  readonly store: WorkflowStore
  readonly followers: Followers
  readonly streamReasoning: boolean
  readonly costOf: CostOf
  /** Aborted when the process gives up waiting for a database that is away. */
  readonly abandoned: AbortSignal
}

export interface AnswerSinkTarget {
  readonly hold: HeldWorkflow
  readonly index: number
  readonly live: LiveAttempt
  /** Stored together with `step.started`. */
  readonly firstCall: NewCall
  /** Makes the ledger's row of a further call. */
  readonly newCall: (estimate: CallEstimate) => NewCall
  /** Length of the text that opens this attempt unpaid, and how often its makers had been asked to go on. */
  readonly carried: CarriedText
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
export function createAnswerSink(
  { store, followers, streamReasoning, costOf, abandoned }: AnswerSinkParts,
  { hold, index, live, firstCall, newCall, ...target }: AnswerSinkTarget,
): LedgerSink {
  const workflowId = hold.state().id
  let call: NewCall | null = null
  let carried = target.carried
  let unsettled: readonly SettledCall[] = []
  const settle = async () => {
    const calls = unsettled
    unsettled = []
    for (const ended of calls) await untilAvailable(() => store.settleCall(ended), abandoned)
  }
  return {
    carried: () => carried,
    unsettled: () => unsettled,
    areSettled: () => void (unsettled = []),
    settle,
    text(text) {
      live.output.append(text)
      followers.grew(workflowId)
    },
    reasoning(text) {
      if (!streamReasoning) return
      live.reasoning.append(text)
      followers.grew(workflowId)
    },
    async callStarting(estimate) {
      await settle()
      const isFirst = call === null
      const next = isFirst ? firstCall : newCall(estimate)
      call = next
      if (!isFirst) await untilAvailable(() => store.addCall(next), abandoned)
      // Who was frozen since may have lost the workflow, and must not pay for what another has done meanwhile.
      if (hold.provenMsAgo() > longestDoubtMs) await hold.refresh()
    },
    async callEnded({ usage, finishReason }) {
      const { id, model } = call ?? firstCall
      const priced = { ...usage, costUsd: costOf(model, usage) }
      unsettled = [...unsettled, { id, usage: priced, finishReason }]
      hold.addUsage(index, { ...priced, llmCalls: 1 })
    },
    async continuing(n) {
      carried = { length: live.output.length, continuations: n }
      await hold.change({ happening: { type: 'step_continued', step: index, n } })
    },
  }
}
