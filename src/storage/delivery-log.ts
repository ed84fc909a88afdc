import type { DeliveryAttempt, DeliveryLog, Redelivery, StoredDelivery } from '../workflows/webhooks.ts'
import { fromRow } from './columns.ts'
import type { Columns, JsonRow } from './columns.ts'
import type { Database } from './database.ts'
import { createStatementParts } from './statement-parts.ts'
import { addBinding, refusingUsedKeys } from './store-keys.ts'
import { withAppErrorsEach } from './workflow-store.ts'

/** Of a delivery's `attempts`, one JSON object each. */
export const deliveryAttemptColumns: Columns<DeliveryAttempt> = {
  at: 'time',
  statusCode: 'integer',
  error: 'text',
  durationMs: 'double precision',
}

const deliveryColumns: Columns<StoredDelivery> = {
  seq: 'integer',
  event: 'text',
  status: 'text',
  attempts: 'json',
  createdAt: 'time',
  nextTryAt: 'time',
  deliveredAt: 'time',
}

const list = `
  SELECT row_to_json(r) AS delivery FROM (
    SELECT seq, event, status, attempts, created_at, least(next_try_at, redeliver_at) AS next_try_at, delivered_at
    FROM agents.webhook_deliveries WHERE workflow_id = $1 ORDER BY seq
  ) r`

/** What is null was left out of the row. */
function toAttempt(row: JsonRow): DeliveryAttempt {
  return fromRow(deliveryAttemptColumns, { status_code: null, error: null, ...row })
}

function toDelivery(row: JsonRow): StoredDelivery {
  const attempts = (row['attempts'] as readonly JsonRow[]).map(toAttempt)
  return { ...fromRow(deliveryColumns, row), attempts }
}

async function redeliver(database: Database, { workflowId, seq, now, binding }: Redelivery): Promise<boolean> {
  const parts = createStatementParts()
  parts.add(
    'w',
    `UPDATE agents.webhook_deliveries SET redeliver_at = ${parts.bind(new Date(now).toISOString())}::timestamptz
     WHERE workflow_id = ${parts.bind(workflowId)} AND seq = ${parts.bind(seq)}::integer AND status <> 'disabled'
     RETURNING workflow_id AS id`,
  )
  addBinding(parts, binding)
  const { text, values } = parts.finish()
  return (await database.query(text, values)).rows.length > 0
}

/** The log of deliveries over either database. */
export function createDeliveryLog(database: Database): DeliveryLog {
  return withAppErrorsEach<DeliveryLog>({
    async list(workflowId) {
      const { rows } = await database.query<{ delivery: JsonRow }>(list, [workflowId])
      return rows.map(({ delivery }) => toDelivery(delivery))
    },
    redeliver: (redelivery) => refusingUsedKeys(() => redeliver(database, redelivery)),
  })
}
