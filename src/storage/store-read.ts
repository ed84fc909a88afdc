import { keepsAttempt, lifecycleTypes, voidsAttempt } from '../workflows/events.ts'
import type { EventPage, WorkflowInput, WorkflowRecord, WorkflowStore } from '../workflows/store.ts'
import { fromRow } from './columns.ts'
import type { JsonRow } from './columns.ts'
import type { Database } from './database.ts'
import { stepsOfWorkflow, toState } from './state-rows.ts'
import { eventColumns, inputColumns } from './tables.ts'
import { runningOf } from './workflow-turns.ts'

type Reads = Pick<
  WorkflowStore,
  | 'load'
  | 'loadRunnable'
  | 'record'
  | 'input'
  | 'heads'
  | 'eventsAfter'
  | 'attemptsOpenAt'
  | 'output'
  | 'edit'
  | 'activeIds'
  | 'strandedIds'
  | 'queueDepth'
  | 'runningOf'
>

interface StateRow {
  readonly workflow: JsonRow
  readonly steps: readonly JsonRow[] | null
}

const inputWithoutFiles = `(
  SELECT row_to_json(i) FROM (
    SELECT requirement, context, metadata, options, webhook FROM agents.workflow_inputs WHERE workflow_id = w.id
  ) i)`

/** What `toRecord` reads, for a `SELECT … FROM agents.workflows w`. */
export const recordColumns = `row_to_json(w) AS workflow, ${stepsOfWorkflow} AS steps, ${inputWithoutFiles} AS input`

export interface RecordRow extends StateRow {
  readonly input: JsonRow
}

/** The record in a row of `recordColumns`, with the texts given. */
export function toRecord(row: RecordRow, outputs: ReadonlyMap<number, string>): WorkflowRecord {
  const { files: _files, ...input } = fromRow(inputColumns, row.input)
  return { state: toState(row.workflow, row.steps), input, outputs }
}

async function record(database: Database, id: string): Promise<WorkflowRecord | null> {
  const { rows } = await database.query<RecordRow & { outputs: { step_index: number; text: string }[] | null }>(
    `SELECT ${recordColumns}, (
       SELECT json_agg(row_to_json(k)) FROM (
         SELECT o.step_index, coalesce(d.text, o.text) AS text FROM agents.outputs o JOIN agents.steps s
           ON s.workflow_id = o.workflow_id AND s.step_index = o.step_index AND s.kept_attempt = o.attempt
         LEFT JOIN agents.edits d
           ON d.workflow_id = o.workflow_id AND d.step_index = o.step_index AND d.attempt = o.attempt
         WHERE o.workflow_id = w.id
       ) k) AS outputs
     FROM agents.workflows w WHERE w.id = $1`,
    [id],
  )
  const row = rows[0]
  return row ? toRecord(row, new Map(row.outputs?.map((output) => [output.step_index, output.text]))) : null
}

async function eventsAfter(database: Database, [id, seq, limit]: [string, number, number]): Promise<EventPage | null> {
  const { rows } = await database.query<Pick<EventPage, 'status' | 'seq'> & { events: JsonRow[] | null }>(
    `SELECT w.status, w.seq, (
       SELECT json_agg(row_to_json(e) ORDER BY e.seq) FROM (
         SELECT * FROM agents.events WHERE workflow_id = w.id AND seq > $2 ORDER BY seq LIMIT $3
       ) e) AS events
     FROM agents.workflows w WHERE w.id = $1`,
    [id, seq, limit],
  )
  const page = rows[0]
  if (!page) return null
  return { status: page.status, seq: page.seq, events: (page.events ?? []).map((row) => fromRow(eventColumns, row)) }
}

const closingTypes = lifecycleTypes.filter((type) => keepsAttempt(type) || voidsAttempt(type))

const attemptsOpenAt = `
  SELECT s.step_index AS "stepIndex", s.step, e.attempt
  FROM agents.events e JOIN agents.steps s ON s.workflow_id = e.workflow_id AND s.step = e.step
  WHERE e.workflow_id = $1 AND e.seq <= $2 AND e.type = 'step.started' AND NOT EXISTS (
    SELECT FROM agents.events c WHERE c.workflow_id = e.workflow_id AND c.seq > e.seq AND c.seq <= $2
      AND c.step = e.step AND c.attempt = e.attempt AND c.type = ANY ($3::text[]))
  ORDER BY s.step_index`

const heads = `
  SELECT id, seq, active, CASE WHEN claim_activation IS NOT NULL
    THEN json_build_object('activation', claim_activation, 'retry', claim_retry) END AS claim
  FROM agents.workflows WHERE id = ANY ($1::text[])`

// Those that were being run come first: the others had not begun.
const activeIds = `
  SELECT id FROM agents.workflows WHERE active ORDER BY (claim_activation = activation) IS TRUE DESC, id`

const strandedIds = `
  SELECT id FROM agents.workflows w WHERE active AND NOT EXISTS (
    SELECT FROM pgboss.job j WHERE j.name = $1 AND j.id = w.job_id AND j.state < 'completed')`

// The index over the status begins with the kind.
const queueDepth = `
  SELECT count(*)::integer AS queued, (extract(epoch FROM min(created_at)) * 1000)::float8 AS oldest
  FROM agents.workflows WHERE kind IN ('workflow', 'task') AND status = 'queued'`

const runnable = `
  SELECT row_to_json(w) AS workflow, ${stepsOfWorkflow} AS steps, row_to_json(i) AS input
  FROM agents.workflows w JOIN agents.workflow_inputs i ON i.workflow_id = w.id WHERE w.id = ANY ($1::text[])`

async function textIn(
  database: Database,
  table: 'outputs' | 'edits',
  key: readonly [id: string, stepIndex: number, attempt: number],
): Promise<string | null> {
  const text = `SELECT text FROM agents.${table} WHERE workflow_id = $1 AND step_index = $2 AND attempt = $3`
  const { rows } = await database.query<{ text: string }>(text, [...key])
  return rows[0]?.text ?? null
}

async function ids(database: Database, text: string, values?: readonly unknown[]): Promise<readonly string[]> {
  const { rows } = await database.query<{ id: string }>(text, values)
  return rows.map((row) => row.id)
}

/** What reads workflows and their events; each call is one statement, so it sees one moment. */
export function createStoreReads(database: Database, queueName: string): Reads {
  return {
    async load(id) {
      const text = `SELECT row_to_json(w) AS workflow, ${stepsOfWorkflow} AS steps FROM agents.workflows w WHERE w.id = $1`
      const { rows } = await database.query<StateRow>(text, [id])
      return rows[0] ? toState(rows[0].workflow, rows[0].steps) : null
    },
    async loadRunnable(wanted) {
      const { rows } = await database.query<StateRow & { input: JsonRow }>(runnable, [wanted])
      return rows.map(({ workflow, steps, input }) => {
        return { state: toState(workflow, steps), input: fromRow<WorkflowInput>(inputColumns, input) }
      })
    },
    record: (id) => record(database, id),
    async input(id) {
      const text = 'SELECT row_to_json(i) AS input FROM agents.workflow_inputs i WHERE workflow_id = $1'
      const { rows } = await database.query<{ input: JsonRow }>(text, [id])
      return rows[0] ? fromRow<WorkflowInput>(inputColumns, rows[0].input) : null
    },
    async heads(wanted) {
      return (await database.query<Awaited<ReturnType<WorkflowStore['heads']>>[number]>(heads, [wanted])).rows
    },
    eventsAfter: (id, seq, limit) => eventsAfter(database, [id, seq, limit]),
    async attemptsOpenAt(id, seq) {
      return (
        await database.query<Awaited<ReturnType<WorkflowStore['attemptsOpenAt']>>[number]>(attemptsOpenAt, [
          id,
          seq,
          closingTypes,
        ])
      ).rows
    },
    output: (id, stepIndex, attempt) => textIn(database, 'outputs', [id, stepIndex, attempt]),
    edit: (id, stepIndex, attempt) => textIn(database, 'edits', [id, stepIndex, attempt]),
    activeIds: () => ids(database, activeIds),
    strandedIds: () => ids(database, strandedIds, [queueName]),
    async queueDepth() {
      const { rows } = await database.query<{ queued: number; oldest: number | null }>(queueDepth)
      return { queued: rows[0]?.queued ?? 0, oldestCreatedAt: rows[0]?.oldest ?? null }
    },
    runningOf: () => runningOf(database),
  }
}
