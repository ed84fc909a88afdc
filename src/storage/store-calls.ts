import type { StoredAttempt, WorkflowStore } from '../workflows/store.ts'
import type { Usage } from '../workflows/workflow.ts'
import { columnDefinitions, columnNames, fromRow, toRow } from './columns.ts'
import type { JsonRow } from './columns.ts'
import type { Database } from './database.ts'
import { toUsage, usageSums } from './state-rows.ts'
import { attemptColumns, callColumns } from './tables.ts'

type Ledger = Pick<WorkflowStore, 'addCall' | 'settleCall' | 'attempts' | 'usageToday'>

const names = columnNames(callColumns).join(', ')

const given = columnNames(callColumns).map((name) => `r.${name}`)

// The workflow's row is held meanwhile, as it is by every other statement that writes rows of a workflow.
const addCall = `
  WITH w AS (SELECT id FROM agents.workflows WHERE id = $1 FOR KEY SHARE), c AS (
    INSERT INTO agents.calls (workflow_id, ${names})
    SELECT w.id, ${given.join(', ')} FROM w, json_to_record($2::json) AS r(${columnDefinitions(callColumns)})
    ON CONFLICT (id) DO NOTHING
  ) SELECT id FROM w`

// The first settlement counts: a second one is a repetition of it.
const settleCall = `
  UPDATE agents.calls SET settled_at = clock_timestamp(), input_tokens = $2, output_tokens = $3, cached_tokens = $4,
    reasoning_tokens = $5, cost_usd = $6, estimated = $7, finish_reason = $8
  WHERE id = $1 AND settled_at IS NULL`

const attempts = `
  SELECT row_to_json(a) AS attempt, row_to_json(u) AS usage, o.text AS output FROM agents.attempts a
  CROSS JOIN LATERAL (
    SELECT ${usageSums} FROM agents.calls c
    WHERE c.workflow_id = a.workflow_id AND c.step_index = a.step_index AND c.attempt = a.attempt
  ) u
  LEFT JOIN agents.outputs o USING (workflow_id, step_index, attempt)
  WHERE a.workflow_id = $1 AND a.step_index = $2 ORDER BY a.attempt`

const midnight = `(date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC')`

const usageToday = `
  WITH used AS (
    SELECT s.role, ${usageSums} FROM agents.calls c JOIN agents.steps s USING (workflow_id, step_index)
    WHERE c.created_at >= ${midnight} GROUP BY s.role
  ), done AS (
    SELECT role, count(*)::integer AS completed FROM agents.steps
    WHERE status = 'completed' AND ended_at >= ${midnight} GROUP BY role
  )
  SELECT role, row_to_json(used) AS usage, coalesce(done.completed, 0) AS completed FROM used FULL JOIN done USING (role)`

const nothing: Usage = toUsage({
  input_tokens: 0,
  output_tokens: 0,
  cached_tokens: 0,
  reasoning_tokens: 0,
  llm_calls: 0,
  cost_usd: null,
  estimated: false,
})

interface AttemptRow {
  readonly attempt: JsonRow
  readonly usage: JsonRow
  readonly output: string | null
}

function toStoredAttempt({ attempt, usage, output }: AttemptRow): StoredAttempt {
  return { ...fromRow(attemptColumns, attempt), usage: toUsage(usage), output }
}

/** The ledger of calls to models, and what is summed up from it. */
export function createLedger(database: Database): Ledger {
  return {
    async addCall({ workflowId, ...call }) {
      const { rows } = await database.query(addCall, [workflowId, JSON.stringify(toRow(callColumns, call))])
      if (rows.length === 0) throw new Error(`There is no workflow ${workflowId} for a call.`)
    },
    async settleCall({ id, usage, finishReason }) {
      const { inputTokens, outputTokens, cachedTokens, reasoningTokens, costUsd, estimated } = usage
      const values = [id, inputTokens, outputTokens, cachedTokens, reasoningTokens, costUsd, estimated, finishReason]
      await database.query(settleCall, values)
    },
    async attempts(id, stepIndex) {
      const { rows } = await database.query<AttemptRow>(attempts, [id, stepIndex])
      return rows.map(toStoredAttempt)
    },
    async usageToday() {
      const { rows } = await database.query<{ role: string; usage: JsonRow | null; completed: number }>(usageToday)
      return new Map(
        rows.map((row) => [
          row.role,
          { usage: row.usage ? toUsage(row.usage) : nothing, completedSteps: row.completed },
        ]),
      )
    },
  }
}
