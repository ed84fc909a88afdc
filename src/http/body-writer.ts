import type { ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { EncodedPiece } from './encoded-batches.ts'

/**
 * Writes a piece of a body; false when the socket wants no more for now. The head has to be flushed before, or to go
 * with a first write of Node's. Node makes four writes of each chunk, to be joined again in the socket; a ready chunk
 * is one, a quarter cheaper to the process. It goes to the socket itself only where everything before it has gone there,
 * so that the order is Node's; where there are no chunks (HTTP/1.0), no socket (yet) or none that takes more, Node
 * decides as ever.
 */
export function writePiece(raw: ServerResponse, piece: EncodedPiece): boolean {
  const socket = socketFor(raw)
  return socket === null ? raw.write(piece.chunk.subarray(piece.from, piece.to)) : socket.write(piece.chunk)
}

/** Whether the last write found the socket full, and it still is. */
export function needsDrain(raw: ServerResponse): boolean {
  return raw.writableNeedDrain || raw.socket?.writableNeedDrain === true
}

/** Calls `run` once when the socket wants more, unless what it gives back is called before. */
export function onceDrained(raw: ServerResponse, run: () => void): () => void {
  const { socket } = raw
  // Node tells the response only of its own writes
  const stop = () => {
    raw.off('drain', drained)
    socket?.off('drain', drained)
  }
  const drained = () => {
    stop()
    run()
  }
  raw.once('drain', drained)
  socket?.once('drain', drained)
  return stop
}

/** The socket, if what is written to it now comes right after all that was written to the response. */
function socketFor(raw: ServerResponse): Socket | null {
  const { socket } = raw
  if (!(socket instanceof Socket) || !socket.writable) return null
  const isReady = raw.chunkedEncoding && raw.headersSent && !raw.writableEnded
  return isReady && raw.writableLength === socket.writableLength ? socket : null
}
