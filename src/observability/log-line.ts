import type { TraceIds } from '../trace-context.ts'
import { describeError, isDefect } from './error-record.ts'
import { createPlainValue } from './plain-value.ts'
import type { Scrub } from './scrub.ts'

/** Severities, as they stand in a line. */
export type LogLevel = 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR' | 'CRITICAL'

/** What a line says besides its message. Names become snake_case; what is undefined or null is left out. */
export interface LogFields {
  readonly correlationId?: string | null | undefined
  readonly agentId?: string | null | undefined
  readonly taskId?: string | null | undefined
  readonly workflowId?: string | null | undefined
  readonly durationMs?: number | null | undefined
  readonly errorCode?: string | null | undefined
  /** Anything that was thrown. */
  readonly error?: unknown
  readonly [name: string]: unknown
}

/** One line before it is written: its properties stand in the order in which they are written. */
type LogRecord = Readonly<Record<string, unknown>> & { readonly level: LogLevel; readonly logger: string }

/** Turns a message and its fields into a record: fixed keys first, in the fixed order, then the rest; secrets taken out. */
export type CreateRecord = (line: {
  readonly level: LogLevel
  readonly logger: string
  readonly message: string
  readonly fields: LogFields
  readonly ids: TraceIds
}) => LogRecord

const fixedNames = new Set(['correlationId', 'agentId', 'taskId', 'workflowId', 'durationMs', 'errorCode', 'error'])
const reservedKeys = new Set([
  'timestamp',
  'level',
  'logger',
  'message',
  'correlation_id',
  'agent_id',
  'task_id',
  'workflow_id',
  'duration_ms',
  'error_code',
  'error',
])

/** `verbose`: every error is shown with its stack, planned ones too. */
export function createRecordMaker(scrub: Scrub, options: { readonly verbose: boolean }): CreateRecord {
  const plainValue = createPlainValue(scrub)
  return ({ level, logger, message, fields, ids }) => {
    const record: Record<string, unknown> & { level: LogLevel; logger: string } = {
      level,
      logger,
      message: scrub(message),
    }
    putFixed(record, fields, ids)
    for (const [name, value] of Object.entries(fields)) {
      if (!fixedNames.has(name)) put(record, keyOf(name), plainValue(name, value))
    }
    if (fields.error !== undefined && fields.error !== null) {
      const severe = level === 'ERROR' || level === 'CRITICAL'
      const withStack = options.verbose || (severe && isDefect(fields.error))
      record['error'] = describeError(fields.error, { scrub, withStack })
    }
    return record
  }
}

function putFixed(record: Record<string, unknown>, fields: LogFields, ids: TraceIds): void {
  const { durationMs } = fields
  put(record, 'correlation_id', fields.correlationId ?? ids.correlationId)
  // Null says that the line is about no agent, whoever may be at work.
  put(record, 'agent_id', fields.agentId === undefined ? ids.agentId : fields.agentId)
  put(record, 'task_id', fields.taskId === undefined ? ids.taskId : fields.taskId)
  put(record, 'workflow_id', fields.workflowId ?? ids.workflowId)
  put(record, 'duration_ms', typeof durationMs === 'number' ? Math.round(durationMs * 100) / 100 : null)
  put(record, 'error_code', fields.errorCode)
}

function put(record: Record<string, unknown>, key: string, value: unknown): void {
  if (value !== undefined && value !== null) record[key] = value
}

function keyOf(name: string): string {
  const key = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  return reservedKeys.has(key) ? `${key}_` : key
}
