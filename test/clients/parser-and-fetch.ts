import { setTimeout as delay } from 'node:timers/promises'
import { createParser } from 'eventsource-parser'
import type { FollowedStream } from './followed-stream.ts'
import { createFrameJournal } from './followed-stream.ts'

/** `fetch` with the npm package `eventsource-parser`, which leaves coming back to its user: these few lines. */
export function followWithParser(url: string): FollowedStream {
  const { journal, take } = createFrameJournal()
  const leave = new AbortController()
  let retryMs = 200
  let connections = 0

  const readOnce = async () => {
    const cursor = journal.cursor()
    const headers = { accept: 'text/event-stream', ...(cursor === null ? {} : { 'last-event-id': cursor }) }
    const answer = await fetch(url, { headers, signal: leave.signal })
    if (answer.status !== 200) throw new Error(`the stream answered ${answer.status}`)
    connections += 1
    const parser = createParser({ onEvent: take, onRetry: (ms) => (retryMs = ms) })
    const text = answer.body?.pipeThrough(new TextDecoderStream()) ?? []
    for await (const chunk of text) parser.feed(chunk)
  }
  const readToEnd = async () => {
    while (!leave.signal.aborted) {
      const isOver = await readOnce().then(
        () => true,
        () => false,
      )
      if (isOver) return
      await delay(retryMs)
    }
  }
  return { journal, connections: () => connections, over: readToEnd(), close: () => leave.abort() }
}
