import type { Agents } from '../agents/agent.ts'
import type { Failure } from '../errors.ts'
import type { HeldWorkflow } from './held-workflow.ts'
import { artifactsOf } from './kept-artifacts.ts'
import type { RunnerChange } from './planned-change.ts'
import type { SettledCall, WorkflowStore } from './store.ts'

export interface KeepAnswerParts {
  readonly agents: Agents
  readonly store: WorkflowStore
  /** How long a gate stays open, in milliseconds; 0: for ever. */
  readonly approvalTimeoutMs: number
}

export interface KeptAnswer {
  readonly text: string
  readonly finishReason: string | null
  readonly model: string
  /** Why it is incomplete; null: it is whole. */
  readonly error: Failure | null
  /** The calls of the ledger that ended with it. */
  readonly settled: readonly SettledCall[]
}

/** Closes a step's open attempt with its text and the files in it. false: the step is no longer ours. */
export function keepAnswer(
  parts: KeepAnswerParts,
  { hold, index }: { readonly hold: HeldWorkflow; readonly index: number },
  { text, finishReason, model, error, settled }: KeptAnswer,
): Promise<boolean> {
  return hold.change(async (): Promise<RunnerChange> => {
    const { attempt } = hold.step(index)
    const place = { workflowId: hold.state().id, stepIndex: index, attempt }
    const found = await artifactsOf(parts, { ...place, text, complete: error === null, edited: false })
    const files = found.artifacts.map(({ path, content }) => ({ path, content }))
    hold.materials.remember(attempt, { stepIndex: index, output: text, files })
    return {
      settled,
      happening: {
        type: 'step_kept',
        step: index,
        status: error === null ? 'completed' : 'incomplete',
        finishReason,
        model,
        artifacts: found.created,
        rejected: found.rejected,
        error,
        approvalTimeoutMs: parts.approvalTimeoutMs,
      },
      outputs: [{ stepIndex: index, attempt, text }],
      artifacts: found.artifacts,
    }
  })
}
