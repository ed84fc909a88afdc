import type { Change, Guard } from '../workflows/store.ts'
import { columnAssignments, columnDefinitions, toRow } from './columns.ts'
import { toStepRow, toWorkflowRow } from './state-rows.ts'
import { addInsert, createStatementParts, recordset, toRows } from './statement-parts.ts'
import type { Statement, StatementParts } from './statement-parts.ts'
import { addBinding } from './store-keys.ts'
import {
  answerColumns,
  attemptColumns,
  callColumns,
  changingWorkflowColumns,
  eventColumns,
  newArtifactColumns,
  outputColumns,
  settledColumns,
  stepColumns,
} from './tables.ts'

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
  // Only a verb gives a step other options; a checkpoint would write the same definition again each time.
  const defined = change.guard.kind === 'verb' ? [] : ['definition']
  const fixed = ['step_index', 'step', 'role', 'task_id', ...defined]
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

/** Nobody reads on in a text that is kept or void. */
function addChunksGone(parts: StatementParts, { attempts }: Change): void {
  const closed = attempts.filter(({ status }) => status !== 'open')
  if (closed.length === 0) return
  const steps = parts.bind(closed.map(({ stepIndex }) => stepIndex))
  const numbers = parts.bind(closed.map(({ attempt }) => attempt))
  parts.add(
    'h',
    `DELETE FROM agents.chunks t USING w, unnest(${steps}::integer[], ${numbers}::integer[]) AS r(step_index, attempt)
     WHERE t.workflow_id = w.id AND t.step_index = r.step_index AND t.attempt = r.attempt`,
  )
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
    `INSERT INTO agents.artifacts (workflow_id, path, version, step_index, attempt, media_type, bytes, sha256, edited, created_at)
     SELECT workflow_id, path, version, step_index, attempt, media_type, octet_length(body), sha256, edited, ${at}::timestamptz FROM f`,
  )
}

/** The options as the client sees them. */
function addOptions(parts: StatementParts, { requestedOptions }: Change): void {
  if (requestedOptions === null) return
  const options = parts.bind(JSON.stringify(requestedOptions))
  parts.add('i', `UPDATE agents.workflow_inputs t SET options = ${options}::json FROM w WHERE t.workflow_id = w.id`)
}

/** By the ids of the calls and not by the claim: this part does not read from `w`. */
function addSettled(parts: StatementParts, { settled }: Change): void {
  if (settled.length === 0) return
  const rows = settled.map(({ id, usage, finishReason }) => toRow(settledColumns, { id, ...usage, finishReason }))
  const written = columnAssignments(settledColumns, 'r', ['id'])
  parts.add(
    'k',
    `UPDATE agents.calls t SET settled_at = clock_timestamp(), ${written}
     FROM ${recordset(parts, settledColumns, rows)} WHERE t.id = r.id AND t.settled_at IS NULL`,
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
  addChunksGone(parts, change)
  addInsert(parts, {
    name: 'o',
    table: 'outputs',
    columns: outputColumns,
    rows: toRows(outputColumns, change.outputs),
  })
  addInsert(parts, { name: 'd', table: 'edits', columns: outputColumns, rows: toRows(outputColumns, change.edits) })
  addInsert(parts, { name: 'g', table: 'answers', columns: answerColumns, rows: toRows(answerColumns, change.answers) })
  addArtifacts(parts, change)
  addOptions(parts, change)
  addBinding(parts, change.binding)
  addInsert(parts, { name: 'c', table: 'calls', columns: callColumns, rows: toRows(callColumns, change.calls) })
  addSettled(parts, change)
  return parts.finish()
}
