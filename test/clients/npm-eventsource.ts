import { EventSource } from 'eventsource'
import type { FollowedStream } from './followed-stream.ts'
import { createFrameJournal, eventTypes } from './followed-stream.ts'

/** The npm package `eventsource`: the browser's interface in Node. A 204 ends it. */
export function followWithEventSource(url: string): FollowedStream {
  const { journal, take } = createFrameJournal()
  const { promise: over, resolve } = Promise.withResolvers<void>()
  const source = new EventSource(url)
  let connections = 0
  source.addEventListener('open', () => (connections += 1))
  source.addEventListener('error', () => {
    if (source.readyState === EventSource.CLOSED) resolve()
  })
  for (const type of eventTypes) {
    source.addEventListener(type, ({ lastEventId, data }) => take({ id: lastEventId, event: type, data: String(data) }))
  }
  return { journal, connections: () => connections, over, close: () => source.close() }
}
