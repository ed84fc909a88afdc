import { wireEvent } from './reader-frames.ts'
import { wireTime } from './wire.ts'
import type { ClaimedDelivery } from './webhooks.ts'

/** A text of more bytes is not sent along: the receiver fetches the step instead. */
export const maxOutputBytes = 262_144

/**
 * The body of a delivery, the same at every try: `{type, timestamp, data}`, `data` being the event as the stream has
 * it. An event whose text is too long comes without `output` and with `output_omitted: true`.
 */
export function webhookBody({ workflowId, event, output, outputOmitted }: ClaimedDelivery): string {
  const at = wireTime(event.at)
  const data = {
    type: event.type,
    workflow_id: workflowId,
    ...wireEvent(event, { at, output }),
    ...(outputOmitted ? { output_omitted: true } : {}),
  }
  return JSON.stringify({ type: event.type, timestamp: at, data })
}
