import type { Change, Guard } from '../workflows/store.ts'
import { columnAssignments, columnDefinitions, columnNames, toRow } from './columns.ts'
import type { Columns, JsonRow } from './columns.ts'
import { toStepRow, toWorkflowRow } from './state-rows.ts'
import {
  attemptColumns,
  callColumns,
  changingWorkflowColumns,
  eventColumns,
  newArtifactColumns,
  outputColumns,
  stepColumns,
} from './tables.ts'

/** One statement with its values. */
export interface Statement {
  readonly text: string
  readonly values: readonly unknown[]
}

/** Collects the parts of one statement in which everything hangs on the workflow's row `w`. */
export interface StatementParts {
  /** `$n` for a value. */
  bind(value: unknown): string
  /** Adds a part as a common table expression; `text` must read from `w`, so that nothing happens without it. */
  add(name: string, text: string): void
  finish(): Statement
}

/** Starts a statement; the first part has to be `w`. */
export function createStatementParts(): StatementParts {
  const values: unknown[] = []
  const parts: string[] = []
  return {
    bind: (value) => `$${values.push(value)}`,
    add: (name, text) => void parts.push(`${name} AS (${text})`),
    finish: () => ({ text: `WITH ${parts.join(',\n')} SELECT id FROM w`, values }),
  }
}

function recordset(parts: StatementParts, columns: object, rows: readonly JsonRow[]): string {
  return `json_to_recordset(${parts.bind(JSON.stringify(rows))}::json) AS r(${columnDefinitions(columns)})`
}

interface Insertion {
  readonly name: string
  readonly table: string
  readonly columns: object
  readonly rows: readonly JsonRow[]
  readonly onConflict?: string
}

/** Adds `INSERT … SELECT … FROM w, rows`; without rows nothing. */
export function addInsert(parts: StatementParts, insertion: Insertion): void {
  const { name, table, columns, rows, onConflict = '' } = insertion
  if (rows.length === 0) return
  const names = columnNames(columns)
  parts.add(
    name,
    `INSERT INTO agents.${table} (workflow_id, ${names.join(', ')})
     SELECT w.id, ${names.map((column) => `r.${column}`).join(', ')} FROM w, ${recordset(parts, columns, rows)} ${onConflict}`,
  )
}

/** `values` as rows of `columns`. */
export function toRows<T extends object>(columns: Columns<T>, values: readonly T[]): readonly JsonRow[] {
  return values.map((value) => toRow(columns, value))
}

function guardCondition(parts: StatementParts, guard: Guard): string {
  if (guard.kind === 'verb') return ''
  const claim = `(${parts.bind(guard.claim.activation)}::integer, ${parts.bind(guard.claim.retry)}::integer)`
  if (guard.kind === 'runner') return `AND t.active AND (t.claim_activation, t.claim_retry) = ${claim}`
  return `AND t.active AND t.activation = (${parts.bind(guard.claim.activation)}::integer)
    AND (t.claim_activation IS NULL OR (t.claim_activation, t.claim_retry) < ${claim})`
}

// A runner may take its claim over without an event, so a verb's view of it may be old although `seq` is not.
function writesClaim(guard: Guard): readonly string[] {
  return guard.kind === 'verb' ? ['claim_activation', 'claim_retry'] : []
}

function addGuardedUpdate(parts: StatementParts, change: Change): void {
  const { guard, state, seen, sendJob } = change
  const claim = guard.kind === 'take' ? guard.claim : (state.claim ?? (guard.kind === 'runner' ? guard.claim : null))
  const row = parts.bind(JSON.stringify(toWorkflowRow({ ...state, claim })))
  // Handing over changes the activation, also without an event: whoever has not seen that decides again.
  const activation = state.activation - (sendJob ? 1 : 0)
  parts.add(
    'w',
    `UPDATE agents.workflows t SET ${columnAssignments(changingWorkflowColumns, 'n', writesClaim(guard))}
     FROM json_to_record(${row}::json) AS n(${columnDefinitions(changingWorkflowColumns)})
     WHERE t.id = ${parts.bind(state.id)} AND t.seq = ${parts.bind(seen)}::integer
       AND t.activation = ${parts.bind(activation)}::integer ${guardCondition(parts, guard)}
     RETURNING t.id`,
  )
}

function addSteps(parts: StatementParts, change: Change): void {
  const changed = new Set(change.changedSteps)
  const rows = change.state.steps.filter((step) => changed.has(step.index)).map(toStepRow)
  if (rows.length === 0) return
  const fixed = ['step_index', 'step', 'role', 'definition', 'task_id']
  parts.add(
    's',
    `UPDATE agents.steps t SET ${columnAssignments(stepColumns, 'r', fixed)}
     FROM w, ${recordset(parts, stepColumns, rows)} WHERE t.workflow_id = w.id AND t.step_index = r.step_index`,
  )
}

function addAttempts(parts: StatementParts, change: Change): void {
  // One that opens and closes in the same change is written once, as it ended.
  const last = new Map(change.attempts.map((attempt) => [`${attempt.stepIndex}@${attempt.attempt}`, attempt]))
  const key = ['step_index', 'attempt']
  addInsert(parts, {
    name: 'a',
    table: 'attempts',
    columns: attemptColumns,
    rows: toRows(attemptColumns, [...last.values()]),
    onConflict: `ON CONFLICT (workflow_id, step_index, attempt) DO UPDATE SET ${columnAssignments(attemptColumns, 'excluded', key)}`,
  })
}

function addArtifacts(parts: StatementParts, change: Change): void {
  if (change.artifacts.length === 0) return
  const rows = recordset(parts, newArtifactColumns, toRows(newArtifactColumns, change.artifacts))
  const at = parts.bind(new Date(change.state.updatedAt).toISOString())
  parts.add('f', `SELECT w.id AS workflow_id, r.*, convert_to(r.content, 'UTF8') AS body FROM w, ${rows}`)
  parts.add(
    'b',
    `INSERT INTO agents.blobs (workflow_id, sha256, content) SELECT DISTINCT ON (sha256) workflow_id, sha256, body FROM f
     ON CONFLICT DO NOTHING`,
  )
  parts.add(
    'p',
    `INSERT INTO agents.artifacts (workflow_id, path, version, step_index, attempt, media_type, bytes, sha256, created_at)
     SELECT workflow_id, path, version, step_index, attempt, media_type, octet_length(body), sha256, ${at}::timestamptz FROM f`,
  )
}

/** The whole change but its jobs as one statement; it gives a row when the guard held, else nothing was written. */
export function changeStatement(change: Change): Statement {
  const parts = createStatementParts()
  addGuardedUpdate(parts, change)
  addSteps(parts, change)
  addInsert(parts, {
    name: 'e',
    table: 'events',
    columns: eventColumns,
    rows: toRows(eventColumns, change.events),
  })
  addAttempts(parts, change)
  addInsert(parts, {
    name: 'o',
    table: 'outputs',
    columns: outputColumns,
    rows: toRows(outputColumns, change.outputs),
  })
  addArtifacts(parts, change)
  addInsert(parts, { name: 'c', table: 'calls', columns: callColumns, rows: toRows(callColumns, change.calls) })
  return parts.finish()
}
