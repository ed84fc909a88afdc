import type { EventBatch, Frame } from '../workflows/service.ts'

/** Bytes of the stream for a batch; not to be changed, others write the same ones. */
export type EncodeBatch = (batch: EventBatch) => Uint8Array

/** A frame as text of the stream; its fields hold no line breaks. */
export function encodeFrame({ id, type, data }: Frame): string {
  const position = id === null ? '' : `id: ${id}\n`
  return `${position}event: ${type}\ndata: ${data}\n\n`
}

function encode(frames: readonly Frame[]): Uint8Array {
  return Buffer.from(frames.map(encodeFrame).join(''))
}

/** Creates an encoder that makes the bytes of a batch which several readers are given only once. */
export function createBatchEncoder(): EncodeBatch {
  const known = new WeakMap<readonly Frame[], Uint8Array>()
  return ({ frames, shared }) => {
    if (shared !== true) return encode(frames)
    const bytes = known.get(frames) ?? encode(frames)
    known.set(frames, bytes)
    return bytes
  }
}
