import { keepsAttempt, lifecycleTypes } from '../workflows/events.ts'
import type { LifecycleEvent } from '../workflows/events.ts'
import type { NewWebhook } from '../workflows/new-webhook.ts'
import { holdTries } from '../workflows/webhook-schedule.ts'
import type { WorkflowState } from '../workflows/workflow.ts'
import type { Columns } from './columns.ts'
import { addInsert, recordset, toRows } from './statement-parts.ts'
import type { StatementParts } from './statement-parts.ts'

const webhookColumns: Columns<NewWebhook> = { url: 'text', origin: 'text', secret: 'text' }

const newDeliveryColumns = {
  seq: 'integer',
  event: 'text',
  origin: 'text',
  createdAt: 'time',
  nextTryAt: 'time',
} as const

/** `origin` null: that of the webhook which is stored. */
function deliveriesOf(
  { webhookEvents }: WorkflowState,
  events: readonly LifecycleEvent[],
  origin: string | null = null,
) {
  if (webhookEvents === null) return []
  return events
    .filter(({ type }) => webhookEvents.includes(type))
    .map(({ seq, type, at }) => ({ seq, event: type, origin, createdAt: at, nextTryAt: at }))
}

/** Adds a new workflow's webhook, with what it is to be told of the first events; without one nothing. */
export function addWebhook(
  parts: StatementParts,
  created: {
    readonly state: WorkflowState
    readonly webhook: NewWebhook | null
    readonly events: readonly LifecycleEvent[]
  },
): void {
  const { state, webhook, events } = created
  if (webhook === null) return
  addInsert(parts, {
    name: 'u',
    table: 'webhooks',
    columns: webhookColumns,
    rows: toRows<NewWebhook>(webhookColumns, [webhook]),
  })
  addInsert(parts, {
    name: 'v',
    table: 'webhook_deliveries',
    columns: newDeliveryColumns,
    rows: toRows(newDeliveryColumns, deliveriesOf(state, events, webhook.origin)),
  })
}

/**
 * Adds the deliveries of a change's events; nothing for a workflow that did not ask for them. What an earlier one holds
 * up is due with it: that only saves looks, because nothing is claimed before its turn.
 */
export function addDeliveries(parts: StatementParts, state: WorkflowState, events: readonly LifecycleEvent[]): void {
  const rows = deliveriesOf(state, events)
  if (rows.length === 0) return
  parts.add(
    'v',
    `INSERT INTO agents.webhook_deliveries (workflow_id, seq, event, origin, created_at, next_try_at)
     SELECT w.id, r.seq, r.event, h.origin, r.created_at, greatest(r.next_try_at, (
       SELECT max(p.next_try_at) FROM agents.webhook_deliveries p WHERE p.workflow_id = w.id AND p.tries < ${holdTries}))
     FROM w JOIN agents.webhooks h ON h.workflow_id = w.id AND h.disabled_at IS NULL,
       ${recordset(parts, newDeliveryColumns, toRows(newDeliveryColumns, rows))}`,
  )
}

/** Types of the events that are shown with a text. */
export const typesWithText = lifecycleTypes.filter(keepsAttempt)
