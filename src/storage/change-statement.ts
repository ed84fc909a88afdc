import type { Change, Guard } from '../workflows/store.ts'
import { activationQueueName } from './activation-queue-name.ts'
import { columnAssignments, columnDefinitions, columnNames, toRow } from './columns.ts'
import { toStoredStep, toWorkflowRow } from './state-rows.ts'
import { addInsert, createStatementParts, recordset, toRows } from './statement-parts.ts'
import type { Statement, StatementParts } from './statement-parts.ts'
import { addBinding } from './store-keys.ts'
import { addDeliveries } from './store-webhooks.ts'
import {
  answerColumns,
  attemptColumns,
  callColumns,
  changingStepColumns,
  changingWorkflowColumns,
  eventColumns,
  newArtifactColumns,
  outputColumns,
  settledColumns,
  stepColumns,
} from './tables.ts'
import { nextTurn, rankOf } from './workflow-turns.ts'

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
    `UPDATE agents.workflows t SET ${columnAssignments(changingWorkflowColumns, 'n', writesClaim(guard))}${
      // What is handed over has had its turn already.
      sendJob ? `, turn = CASE WHEN t.active THEN t.turn ELSE ${nextTurn('t', 'n')} END` : ''
    }
     FROM json_to_record(${row}::json) AS n(${columnDefinitions(changingWorkflowColumns)})
     WHERE t.id = ${parts.bind(state.id)} AND t.seq = ${parts.bind(seen)}::integer
       AND t.activation = ${parts.bind(activation)}::integer ${guardCondition(parts, guard)}
     RETURNING t.id${sendJob ? `, ${rankOf('t')} AS rank` : ''}`,
  )
}

function addSteps(parts: StatementParts, change: Change): void {
  const changed = new Set(change.changedSteps)
  const steps = change.state.steps.filter((step) => changed.has(step.index))
  if (steps.length === 0) return
  // Only a verb gives a step other options; a checkpoint would write the same definition again each time.
  const columns = change.guard.kind === 'verb' ? stepColumns : changingStepColumns
  const rows = steps.map((step) => toRow(columns, toStoredStep(step)))
  const fixed = ['step_index', 'step', 'role', 'task_id']
  parts.add(
    's',
    `UPDATE agents.steps t SET ${columnAssignments(columns, 'r', fixed)}
     FROM w, ${recordset(parts, columns, rows)} WHERE t.workflow_id = w.id AND t.step_index = r.step_index`,
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

/** By the ids of the calls and not by the claim: these parts do not read from `w`. */
function addSettled(parts: StatementParts, { settled }: Change): void {
  for (const [n, { id, usage, finishReason }] of settled.entries()) {
    const row = toRow(settledColumns, { ...usage, finishReason })
    const written = columnNames(settledColumns).map((name) => `${name} = ${parts.bind(row[name])}`)
    // One by one: for a list of unknown length the planner reads the whole table.
    parts.add(
      `k${n}`,
      `UPDATE agents.calls SET settled_at = clock_timestamp(), ${written.join(', ')}
       WHERE id = ${parts.bind(id)} AND settled_at IS NULL`,
    )
  }
}

/** As pg-boss completes a job by id, whatever its state: the claim that `w` stands on is the fence. */
function addCompletedJob(parts: StatementParts, { completeJob }: Change): void {
  if (completeJob === null) return
  const name = parts.bind(activationQueueName)
  parts.add(
    'j',
    `UPDATE pgboss.job t SET completed_on = pgboss.job_now(), state = 'completed', output = NULL, blocked = false,
       pending_dependencies = 0
     FROM w WHERE t.name = ${name} AND t.id = ${parts.bind(completeJob)}::uuid AND t.state < 'completed'`,
  )
}

/** The whole change but for jobs to be sent as one statement; it gives a row when the guard held, else nothing was written. */
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
  addDeliveries(parts, change.state, change.events)
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
  addCompletedJob(parts, change)
  return parts.finish()
}
