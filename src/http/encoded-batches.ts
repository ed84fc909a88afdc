import type { EventBatch, Frame } from '../workflows/service.ts'

/** A piece of a body. Nothing of it may be changed: others write the same bytes. */
export interface EncodedPiece {
  /** As a chunk of HTTP/1.1, with its frame. */
  readonly chunk: Uint8Array
  /** Where the piece itself begins and ends in it. */
  readonly from: number
  readonly to: number
}

/** Bytes of the stream for a batch. */
export type EncodeBatch = (batch: EventBatch) => EncodedPiece

/** A frame as text of the stream; its fields hold no line breaks. */
export function encodeFrame({ id, type, data }: Frame): string {
  const position = id === null ? '' : `id: ${id}\n`
  return `${position}event: ${type}\ndata: ${data}\n\n`
}

/** A piece of a body that has this text; it must not be empty, for an empty chunk would end the body. */
export function encodePiece(text: string): EncodedPiece {
  const length = Buffer.byteLength(text)
  const head = `${length.toString(16)}\r\n`
  return { chunk: Buffer.from(`${head}${text}\r\n`), from: head.length, to: head.length + length }
}

function encode(frames: readonly Frame[]): EncodedPiece {
  const [only] = frames
  return encodePiece(frames.length === 1 && only !== undefined ? encodeFrame(only) : frames.map(encodeFrame).join(''))
}

/** Creates an encoder that makes the bytes of a batch which several readers are given only once. */
export function createBatchEncoder(): EncodeBatch {
  const known = new WeakMap<readonly Frame[], EncodedPiece>()
  return ({ frames, shared }) => {
    if (shared !== true) return encode(frames)
    const found = known.get(frames)
    if (found !== undefined) return found
    const made = encode(frames)
    known.set(frames, made)
    return made
  }
}
