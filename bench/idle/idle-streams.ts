import { connect, type Socket } from 'node:net'

/** Streams that are read and bring little. */
export interface IdleStreams {
  /** Heartbeats that came so far, over all streams. */
  heartbeats(): number
  /** Streams that ended by themselves. */
  ended(): number
  /** Leaves all; resolves when their sockets are closed. */
  leave(): Promise<void>
}

const atOnce = 100

/** Opens so many streams, spread over the paths; resolves when every one has begun. */
export async function openIdleStreams(url: string, paths: readonly string[], count: number): Promise<IdleStreams> {
  const seen = { heartbeats: 0, ended: 0 }
  const sockets: Socket[] = []
  for (let opened = 0; opened < count; opened += atOnce) {
    const batch = Array.from({ length: Math.min(atOnce, count - opened) }, (_, index) => {
      return openOne(url, paths[(opened + index) % paths.length] ?? '', seen)
    })
    sockets.push(...(await Promise.all(batch)))
  }
  return {
    heartbeats: () => seen.heartbeats,
    ended: () => seen.ended,
    leave: async () => {
      const closing = sockets.map((socket) => new Promise((resolve) => void socket.once('close', resolve)))
      for (const socket of sockets) socket.destroy()
      await Promise.all(closing)
    },
  }
}

const ping = ': ping'

function openOne(url: string, path: string, seen: { heartbeats: number; ended: number }): Promise<Socket> {
  const { hostname, port, host } = new URL(url)
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const socket = connect(Number(port), hostname)
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAccept: text/event-stream\r\n\r\n`)
  socket.on('data', (bytes) => {
    const text = bytes.toString('latin1')
    if (text.includes(ping)) seen.heartbeats += 1
    // the last that comes before the silence of the model
    if (text.includes('event: step.started')) resolve(socket)
  })
  socket.once('error', reject)
  socket.once('close', () => {
    seen.ended += 1
    reject(new Error('A stream ended before it had begun.'))
  })
  return promise
}
