import { connect } from 'node:net'

/** A connection that a test speaks HTTP over by hand. */
export interface RawExchange {
  send(bytes: string): void
  /** Everything received so far. */
  received(): string
  /** `fin`: the other side said that it was all; `reset`: it broke off; null while it lasts. */
  end(): 'fin' | 'reset' | null
  /** Reads nothing for a while. */
  pause(): void
  resume(): void
  destroy(): void
}

/** Connects to the host and port of a URL, and sends what is given. */
export function rawExchange(url: string, bytes: string): RawExchange {
  const socket = connect(Number(new URL(url).port), '127.0.0.1').setEncoding('utf8')
  let received = ''
  let end: 'fin' | 'reset' | null = null
  socket.on('data', (text: string) => (received += text))
  socket.on('end', () => (end ??= 'fin'))
  socket.on('error', () => (end ??= 'reset'))
  socket.write(bytes)
  return {
    send: (more) => void socket.write(more),
    received: () => received,
    end: () => end,
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    destroy: () => socket.destroy(),
  }
}
