import { isEnd } from '../workflows/events.ts'
import type { Change, KeyBinding, NewWorkflow, WorkflowStore } from '../workflows/store.ts'
import type { WorkflowState } from '../workflows/workflow.ts'
import { changeStatement } from './change-statement.ts'
import { captureStatement } from './captured-statement.ts'
import { columnDefinitions, columnNames, toRow } from './columns.ts'
import type { Database, Queryable } from './database.ts'
import { toStepRow, toWorkflowRow } from './state-rows.ts'
import { addInsert, createStatementParts, toRows } from './statement-parts.ts'
import type { Statement } from './statement-parts.ts'
import { addBinding, refusingUsedKeys } from './store-keys.ts'
import { nextTurn, rankOf, takeShare, withRank } from './workflow-turns.ts'
import { addWebhook } from './store-webhooks.ts'
import { eventColumns, inputColumns, stepColumns, workflowColumns } from './tables.ts'

/** Jobs, sent and completed inside a transaction of the caller. */
export interface TransactionJobs {
  /** The job `state.jobId` of the current activation. `rank`: higher first. */
  send(tx: Queryable, state: WorkflowState, rank: number): Promise<void>
  /** Has an ended workflow published; not there when nobody publishes. */
  publish?(tx: Queryable, workflowId: string): Promise<void>
}

interface Creation {
  readonly workflow: NewWorkflow
  readonly binding: KeyBinding | null
  /** Sends its job, with any rank: the right one is known only where the workflow gets its turn. */
  readonly job: Statement
}

function createStatement({ workflow, binding, job }: Creation): Statement {
  const { state, input, events } = workflow
  const parts = createStatementParts()
  const names = columnNames(workflowColumns).join(', ')
  const row = parts.bind(JSON.stringify(toWorkflowRow(state)))
  parts.add(
    'w',
    `INSERT INTO agents.workflows (${names}, turn) SELECT ${names}, ${nextTurn('n')}
     FROM json_to_record(${row}::json) AS n(${columnDefinitions(workflowColumns)}) RETURNING id, ${rankOf('workflows')} AS rank`,
  )
  const inputs = [toRow(inputColumns, input)]
  addInsert(parts, { name: 'i', table: 'workflow_inputs', columns: inputColumns, rows: inputs })
  addInsert(parts, { name: 's', table: 'steps', columns: stepColumns, rows: state.steps.map(toStepRow) })
  addInsert(parts, { name: 'e', table: 'events', columns: eventColumns, rows: toRows(eventColumns, events) })
  addWebhook(parts, workflow)
  addBinding(parts, binding)
  parts.addStatement('j', job, withRank)
  return parts.finish()
}

interface Written {
  /** Of its job; only of a change that sends one. */
  readonly rank?: number
}

/** null: the guard did not hold. */
async function runGuarded(tx: Queryable, statement: Statement): Promise<Written | null> {
  const { rows } = await tx.query<Written>(statement.text, statement.values)
  return rows[0] ?? null
}

async function remove(database: Database, id: string): Promise<'removed' | 'missing' | 'not_ended'> {
  const { rows } = await database.query<{ removed: boolean; existed: boolean }>(
    `WITH d AS (
       DELETE FROM agents.workflows WHERE id = $1 AND NOT active AND status IN ('completed', 'failed', 'cancelled')
       RETURNING id
     )
     SELECT EXISTS (SELECT FROM d) AS removed, EXISTS (SELECT FROM agents.workflows WHERE id = $1) AS existed`,
    [id],
  )
  if (rows[0]?.removed) return 'removed'
  return rows[0]?.existed ? 'not_ended' : 'missing'
}

// What another replica is deleting, or what is being revived at this moment, is left out.
const removeEnded = `
  WITH old AS (
    SELECT id FROM agents.workflows
    WHERE ended_at < now() - $1 * interval '1 millisecond' AND NOT active
      AND status IN ('completed', 'failed', 'cancelled')
    ORDER BY ended_at LIMIT $2 FOR UPDATE SKIP LOCKED
  )
  DELETE FROM agents.workflows w USING old WHERE w.id = old.id`

/** What changes workflows. A change that sends no job is one statement, otherwise one transaction that begins with it. */
export function createStoreWrites(
  database: Database,
  jobs: TransactionJobs,
): Pick<WorkflowStore, 'create' | 'commit' | 'remove' | 'removeEnded' | 'takeShare'> {
  async function create(workflow: NewWorkflow, binding: KeyBinding | null): Promise<void> {
    const { state } = workflow
    const job = await captureStatement((tx) => jobs.send(tx, state, 0), { id: state.jobId })
    const { text, values } = createStatement({ workflow, binding, job })
    await database.query(text, values)
  }

  async function commit(change: Change): Promise<boolean> {
    const statement = changeStatement(change)
    const { sendJob, state } = change
    const publishes = jobs.publish !== undefined && change.events.some(({ type }) => isEnd(type))
    if (!sendJob && !publishes) return (await runGuarded(database, statement)) !== null
    return database.transaction(async (tx) => {
      const written = await runGuarded(tx, statement)
      if (written === null) return false
      if (sendJob) await jobs.send(tx, state, written.rank ?? 0)
      if (publishes) await jobs.publish?.(tx, state.id)
      return true
    })
  }

  return {
    create: (workflow, binding) => refusingUsedKeys(() => create(workflow, binding)),
    commit: (change) => refusingUsedKeys(() => commit(change)),
    remove: (id) => remove(database, id),
    takeShare: (id, activation, share) => takeShare(database, { id, activation, share }),
    removeEnded: async (keepMs, limit) => (await database.query(removeEnded, [keepMs, limit])).rowCount,
  }
}
