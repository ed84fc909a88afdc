import type { GateAnswer, OpenGate, WorkflowStore } from '../workflows/store.ts'
import { fromRow } from './columns.ts'
import type { JsonRow } from './columns.ts'
import type { Queryable } from './database.ts'
import { answerColumns, openGateColumns } from './tables.ts'

type GateReads = Pick<WorkflowStore, 'answer' | 'openGates' | 'expiredGates'>
type GateList = Parameters<WorkflowStore['openGates']>[0]
type ExpiredGate = Awaited<ReturnType<WorkflowStore['expiredGates']>>[number]

const answer = `SELECT row_to_json(a) AS answer FROM agents.answers a
  WHERE workflow_id = $1 AND step_index = $2 AND attempt = $3`

// A step's index never changes, so its gate has a place also when it is not open any more.
const beyond = `AND (s.waiting_since, s.workflow_id, s.step_index) > ($3::timestamptz, $4,
  (SELECT step_index FROM agents.steps WHERE workflow_id = $4 AND step = $5))`

function openGates({ after }: GateList): string {
  return `
    SELECT row_to_json(g) AS gate FROM (
      SELECT s.workflow_id, w.type, s.step, s.role, s.waiting_attempt AS attempt, s.waiting_since, s.expires_at
      FROM agents.steps s JOIN agents.workflows w ON w.id = s.workflow_id
      WHERE s.status = 'waiting' AND s.waiting_since IS NOT NULL
        AND ($2::text IS NULL OR w.owner = $2) ${after === null ? '' : beyond}
      ORDER BY s.waiting_since, s.workflow_id, s.step_index LIMIT $1
    ) g`
}

const expiredGates = `SELECT workflow_id AS "workflowId", step_index AS "stepIndex" FROM agents.steps
  WHERE status = 'waiting' AND expires_at <= now() ORDER BY expires_at LIMIT $1`

/** What reads gates and how they were answered. */
export function createGateReads(database: Queryable): GateReads {
  return {
    async answer(id, stepIndex, attempt) {
      const { rows } = await database.query<{ answer: JsonRow }>(answer, [id, stepIndex, attempt])
      return rows[0] ? fromRow<GateAnswer>(answerColumns, rows[0].answer) : null
    },
    async openGates(wanted) {
      const { limit, after, owner } = wanted
      const place = after === null ? [] : [new Date(after.waitingSince).toISOString(), after.workflowId, after.step]
      const { rows } = await database.query<{ gate: JsonRow }>(openGates(wanted), [limit, owner, ...place])
      return rows.map((row) => fromRow<OpenGate>(openGateColumns, row.gate))
    },
    async expiredGates(limit) {
      return (await database.query<ExpiredGate>(expiredGates, [limit])).rows
    },
  }
}
