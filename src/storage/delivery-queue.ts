import type { ClaimedDelivery, DeliveryClaim, DeliveryQueue, DeliverySettlement } from '../workflows/webhooks.ts'
import { fromRow, toRow } from './columns.ts'
import type { Columns, JsonRow } from './columns.ts'
import type { Database } from './database.ts'
import { deliveryAttemptColumns } from './delivery-log.ts'
import { typesWithText } from './store-webhooks.ts'
import { eventColumns } from './tables.ts'
import { withAppErrorsEach } from './workflow-store.ts'

const claimedColumns: Columns<Omit<ClaimedDelivery, 'event'>> = {
  workflowId: 'text',
  seq: 'integer',
  lease: 'integer',
  tries: 'integer',
  redelivery: 'boolean',
  disabled: 'boolean',
  url: 'text',
  origin: 'text',
  secret: 'text',
  output: 'text',
  outputOmitted: 'boolean',
}

// One look for the next receiver after another, and of each no more than it may have: what else is due is not read.
// Whoever is second at a row finds it locked, or leased when it looks again.
const claim = `
  WITH RECURSIVE origins AS (
    (SELECT origin FROM agents.webhook_deliveries WHERE least(next_try_at, redeliver_at) IS NOT NULL
     ORDER BY origin LIMIT 1)
    UNION ALL
    SELECT (SELECT d.origin FROM agents.webhook_deliveries d
            WHERE least(d.next_try_at, d.redeliver_at) IS NOT NULL AND d.origin > o.origin ORDER BY d.origin LIMIT 1)
    FROM origins o WHERE o.origin IS NOT NULL
  ), chosen AS (
    SELECT x.workflow_id, x.seq, x.at FROM origins o CROSS JOIN LATERAL (
      SELECT d.workflow_id, d.seq, least(d.next_try_at, d.redeliver_at) AS at
      FROM agents.webhook_deliveries d
      WHERE d.origin = o.origin AND least(d.next_try_at, d.redeliver_at) <= $1::timestamptz
        AND (d.leased_until IS NULL OR d.leased_until <= $1::timestamptz)
        AND (d.redeliver_at <= $1::timestamptz OR NOT EXISTS (
          SELECT FROM agents.webhook_deliveries p WHERE p.workflow_id = d.workflow_id AND p.seq < d.seq
            AND p.next_try_at IS NOT NULL AND p.tries < $7::integer))
      ORDER BY least(d.next_try_at, d.redeliver_at), d.workflow_id, d.seq
      LIMIT greatest(0, $5::integer - coalesce(($6::json ->> o.origin)::integer, 0))
    ) x
    ORDER BY x.at, x.workflow_id, x.seq LIMIT $4::integer
  ), locked AS (
    SELECT t.workflow_id, t.seq, c.at FROM agents.webhook_deliveries t
    JOIN chosen c ON c.workflow_id = t.workflow_id AND c.seq = t.seq
    WHERE (t.leased_until IS NULL OR t.leased_until <= $1::timestamptz)
      AND least(t.next_try_at, t.redeliver_at) <= $1::timestamptz
    FOR UPDATE OF t SKIP LOCKED
  ), leased AS (
    UPDATE agents.webhook_deliveries t SET leased_until = $2::timestamptz, lease = t.lease + 1
    FROM locked l WHERE t.workflow_id = l.workflow_id AND t.seq = l.seq
    RETURNING t.workflow_id, t.seq, t.lease, t.tries, t.redeliver_at, l.at
  )
  SELECT row_to_json(r) AS delivery, row_to_json(e) AS event
  FROM leased l JOIN agents.webhooks h ON h.workflow_id = l.workflow_id
  JOIN agents.events e ON e.workflow_id = l.workflow_id AND e.seq = l.seq
  LEFT JOIN LATERAL (
    SELECT coalesce(CASE WHEN e.data ->> 'edited' = 'true' THEN d.text END, o.text) AS text
    FROM agents.steps s
    JOIN agents.outputs o ON o.workflow_id = s.workflow_id AND o.step_index = s.step_index AND o.attempt = e.attempt
    LEFT JOIN agents.edits d ON d.workflow_id = o.workflow_id AND d.step_index = o.step_index AND d.attempt = o.attempt
    WHERE s.workflow_id = e.workflow_id AND s.step = e.step AND e.type = ANY ($8::text[])
  ) x ON true
  CROSS JOIN LATERAL (
    SELECT l.workflow_id, l.seq, l.lease, l.tries, l.redeliver_at IS NOT NULL AND l.redeliver_at <= $1::timestamptz AS redelivery,
      h.disabled_at IS NOT NULL AS disabled, h.url, h.origin, h.secret,
      CASE WHEN octet_length(x.text) <= $3::integer THEN x.text END AS output,
      coalesce(octet_length(x.text) > $3::integer, false) AS output_omitted
  ) r
  ORDER BY l.at, l.workflow_id, l.seq`

const settle = `
  WITH w AS (
    UPDATE agents.webhook_deliveries t SET
      attempts = t.attempts || $4::jsonb,
      status = coalesce($5::text, t.status),
      tries = t.tries + $6::integer,
      next_try_at = CASE WHEN $5::text IS NULL THEN t.next_try_at ELSE $7::timestamptz END,
      redeliver_at = CASE WHEN $8::boolean THEN NULL ELSE t.redeliver_at END,
      delivered_at = coalesce($9::timestamptz, t.delivered_at),
      leased_until = NULL
    WHERE t.workflow_id = $1 AND t.seq = $2::integer AND t.lease = $3::integer AND t.leased_until IS NOT NULL
    RETURNING t.workflow_id AS id
  ), followers AS (
    UPDATE agents.webhook_deliveries t SET next_try_at = $10::timestamptz
    FROM w WHERE $10::timestamptz IS NOT NULL AND t.workflow_id = w.id AND t.seq > $2::integer
      AND t.tries = 0 AND t.next_try_at IS NOT NULL
  ), switched_off AS (
    UPDATE agents.webhooks t SET disabled_at = now() FROM w WHERE $11::boolean AND t.workflow_id = w.id
  ), rest AS (
    UPDATE agents.webhook_deliveries t SET status = 'disabled', next_try_at = NULL, redeliver_at = NULL
    FROM w WHERE $11::boolean AND t.workflow_id = w.id AND t.seq <> $2::integer AND t.status = 'pending'
  )
  SELECT id FROM w`

function time(moment: number | null): string | null {
  return moment === null ? null : new Date(moment).toISOString()
}

async function claimDue(database: Database, wanted: DeliveryClaim): Promise<readonly ClaimedDelivery[]> {
  const { rows } = await database.query<{ delivery: JsonRow; event: JsonRow }>(claim, [
    time(wanted.now),
    time(wanted.now + wanted.leaseMs),
    wanted.maxOutputBytes,
    wanted.limit,
    wanted.perOrigin,
    JSON.stringify(wanted.inFlight),
    wanted.holdTries,
    typesWithText,
  ])
  return rows.map(({ delivery, event }) =>
    Object.assign(fromRow(claimedColumns, delivery), { event: fromRow(eventColumns, event) }),
  )
}

async function settleOne(database: Database, delivery: ClaimedDelivery, to: DeliverySettlement): Promise<boolean> {
  const attempts = to.attempt === null ? [] : [toRow(deliveryAttemptColumns, to.attempt)]
  const { rows } = await database.query(settle, [
    delivery.workflowId,
    delivery.seq,
    delivery.lease,
    JSON.stringify(attempts),
    to.status,
    to.counts,
    time(to.nextTryAt),
    delivery.redelivery,
    time(to.deliveredAt),
    time(to.followersAt),
    to.disables,
  ])
  return rows.length > 0
}

/** The deliveries as a queue, over either database. */
export function createDeliveryQueue(database: Database): DeliveryQueue {
  return withAppErrorsEach<DeliveryQueue>({
    claim: (wanted) => claimDue(database, wanted),
    settle: (delivery, to) => settleOne(database, delivery, to),
    async release({ workflowId, seq, lease }) {
      const text = `UPDATE agents.webhook_deliveries SET leased_until = NULL
        WHERE workflow_id = $1 AND seq = $2::integer AND lease = $3::integer`
      await database.query(text, [workflowId, seq, lease])
    },
    async releaseAll() {
      await database.query('UPDATE agents.webhook_deliveries SET leased_until = NULL WHERE leased_until IS NOT NULL')
    },
  })
}
