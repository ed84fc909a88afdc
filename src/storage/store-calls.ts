import { nothingSpent } from '../workflows/budget.ts'
import type { Spending } from '../workflows/budget.ts'
import type { StoredAttempt, WorkflowStore } from '../workflows/store.ts'
import type { Usage } from '../workflows/workflow.ts'
import { fromRow } from './columns.ts'
import type { JsonRow } from './columns.ts'
import type { Database } from './database.ts'
import { toUsage, usageSums } from './state-rows.ts'
import { attemptColumns } from './tables.ts'

type Ledger = Pick<WorkflowStore, 'settleCall' | 'dropCall' | 'spent' | 'attempts' | 'usageToday'>

// The first settlement counts: a second one is a repetition of it.
const settleCall = `
  UPDATE agents.calls SET settled_at = clock_timestamp(), input_tokens = $2, output_tokens = $3, cached_tokens = $4,
    reasoning_tokens = $5, cost_usd = $6, estimated = $7, finish_reason = $8
  WHERE id = $1 AND settled_at IS NULL`

const spent = `
  SELECT count(*)::integer AS calls,
    coalesce(sum(CASE WHEN settled_at IS NULL THEN estimated_input_tokens + max_tokens
      ELSE input_tokens + output_tokens END), 0)::float8 AS tokens,
    coalesce(sum(CASE WHEN settled_at IS NULL THEN reserved_cost_usd ELSE cost_usd END), 0) AS "costUsd"
  FROM agents.calls WHERE workflow_id = $1 AND id <> ALL ($2::text[])`

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
    async settleCall({ id, usage, finishReason }) {
      const { inputTokens, outputTokens, cachedTokens, reasoningTokens, costUsd, estimated } = usage
      const values = [id, inputTokens, outputTokens, cachedTokens, reasoningTokens, costUsd, estimated, finishReason]
      await database.query(settleCall, values)
    },
    async dropCall(id) {
      await database.query('DELETE FROM agents.calls WHERE id = $1 AND settled_at IS NULL', [id])
    },
    async spent(id, without) {
      const { rows } = await database.query<Spending>(spent, [id, without])
      return rows[0] ?? nothingSpent
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
