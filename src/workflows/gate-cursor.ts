import { AppError } from '../errors.ts'
import type { OpenGate } from './store.ts'

type GatePosition = Pick<OpenGate, 'waitingSince' | 'workflowId' | 'step'>

const form = /^(\d{1,16})\.(wf_[0-9a-f]{32})\.([a-z][a-z0-9_-]{0,63})$/

/** Where a page of the inbox ended, as an opaque text. */
export function encodeGateCursor({ waitingSince, workflowId, step }: GatePosition): string {
  return Buffer.from(`${Math.round(waitingSince)}.${workflowId}.${step}`).toString('base64url')
}

/** Throws `invalid-cursor` for what is not such a text. */
export function decodeGateCursor(cursor: string): GatePosition {
  const [, since, workflowId, step] = form.exec(Buffer.from(cursor, 'base64url').toString()) ?? []
  if (since === undefined || workflowId === undefined || step === undefined) {
    throw new AppError('invalid-cursor', 'This is not a cursor of this list.')
  }
  return { waitingSince: Number(since), workflowId, step }
}
