import type { StepState, Usage, WorkflowState } from '../workflows/workflow.ts'
import { fromRow, toRow } from './columns.ts'
import type { JsonRow } from './columns.ts'
import { stepColumns, workflowColumns } from './tables.ts'
import type { StepRow } from './tables.ts'

/** Usage of the calls `c`: a call that nobody settled counts as its estimated prompt. */
export const usageSums = `
  coalesce(sum(CASE WHEN c.settled_at IS NULL THEN c.estimated_input_tokens ELSE c.input_tokens END), 0) AS input_tokens,
  coalesce(sum(c.output_tokens), 0) AS output_tokens,
  coalesce(sum(c.cached_tokens), 0) AS cached_tokens,
  coalesce(sum(c.reasoning_tokens), 0) AS reasoning_tokens,
  count(c.id) AS llm_calls,
  sum(c.cost_usd) AS cost_usd,
  coalesce(bool_or(c.settled_at IS NULL OR c.estimated), false) AS estimated`

/** The steps of workflow `w` with their usage, as one JSON array. */
export const stepsOfWorkflow = `(
  SELECT json_agg(row_to_json(r) ORDER BY r.step_index) FROM (
    SELECT s.*, row_to_json(u) AS usage FROM agents.steps s
    CROSS JOIN LATERAL (
      SELECT ${usageSums} FROM agents.calls c WHERE c.workflow_id = s.workflow_id AND c.step_index = s.step_index
    ) u
    WHERE s.workflow_id = w.id
  ) r)`

const usageColumns = {
  inputTokens: 'integer',
  outputTokens: 'integer',
  cachedTokens: 'integer',
  reasoningTokens: 'integer',
  llmCalls: 'integer',
  costUsd: 'double precision',
  estimated: 'boolean',
} as const

/** Usage in a row that has the sums' columns. */
export function toUsage(row: Readonly<JsonRow>): Usage {
  return fromRow<Usage>(usageColumns, row)
}

/** A workflow's row of a state. */
export function toWorkflowRow(state: WorkflowState): JsonRow {
  const role = state.kind === 'task' ? (state.steps[0]?.definition.role ?? null) : null
  const claimActivation = state.claim?.activation ?? null
  const claimRetry = state.claim?.retry ?? null
  return toRow(workflowColumns, { ...state, role, claimActivation, claimRetry })
}

/** A step of a state as it is stored. */
export function toStoredStep(step: StepState): StepRow {
  const { id, role } = step.definition
  return { ...step, stepIndex: step.index, step: id, role }
}

/** A step's row of a state. */
export function toStepRow(step: StepState): JsonRow {
  return toRow(stepColumns, toStoredStep(step))
}

function toStep(row: Readonly<JsonRow>): StepState {
  const { stepIndex, step: _id, role: _role, ...rest } = fromRow(stepColumns, row)
  return { ...rest, index: stepIndex, usage: toUsage(row['usage'] as JsonRow) }
}

/** The state in a workflow's row and those of its steps. */
export function toState(workflow: Readonly<JsonRow>, steps: readonly Readonly<JsonRow>[] | null): WorkflowState {
  const { claimActivation, claimRetry, role: _role, ...rest } = fromRow(workflowColumns, workflow)
  const claim =
    claimActivation === null || claimRetry === null ? null : { activation: claimActivation, retry: claimRetry }
  return { ...rest, claim, steps: (steps ?? []).map(toStep) }
}
