import type { ListFilter, WorkflowRecord } from '../workflows/store.ts'
import type { Database } from './database.ts'
import { recordColumns, toRecord } from './store-read.ts'
import type { RecordRow } from './store-read.ts'

const noOutputs: ReadonlyMap<number, string> = new Map()

function iso(time: number): string {
  return new Date(time).toISOString()
}

function conditions(filter: ListFilter, bind: (value: unknown) => string): string[] {
  const { statuses, stepStatuses, type, createdAfter, createdBefore, metadata, after, kind, owner, role } = filter
  const hasMetadata = Object.keys(metadata).length > 0
  return [
    `w.kind = ${bind(kind)}`,
    owner !== null && `w.owner = ${bind(owner)}`,
    statuses.length > 0 && `w.status = ANY (${bind(statuses)}::text[])`,
    stepStatuses.length > 0 &&
      `EXISTS (SELECT FROM agents.steps s WHERE s.workflow_id = w.id AND s.status = ANY (${bind(stepStatuses)}::text[]))`,
    type !== null && `w.type = ${bind(type)}`,
    role !== null && `w.role = ${bind(role)}`,
    after !== null && `w.id < ${bind(after)}`,
    createdAfter !== null && `w.created_at > ${bind(iso(createdAfter))}::timestamptz`,
    createdBefore !== null && `w.created_at < ${bind(iso(createdBefore))}::timestamptz`,
    hasMetadata &&
      `EXISTS (SELECT FROM agents.workflow_inputs m WHERE m.workflow_id = w.id AND m.metadata @> ${bind(JSON.stringify(metadata))}::jsonb)`,
  ].filter((condition) => condition !== false)
}

/** A page of workflows or tasks, newest first: ids are in the order of time. */
export async function listRecords(database: Database, filter: ListFilter): Promise<readonly WorkflowRecord[]> {
  const values: unknown[] = []
  const bind = (value: unknown): string => `$${values.push(value)}`
  const where = conditions(filter, bind).join(' AND ')
  const { rows } = await database.query<RecordRow>(
    `SELECT ${recordColumns} FROM agents.workflows w WHERE ${where} ORDER BY w.id DESC LIMIT ${bind(filter.limit)}`,
    values,
  )
  return rows.map((row) => toRecord(row, noOutputs))
}
