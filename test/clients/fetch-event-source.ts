import { fetchEventSource } from '@microsoft/fetch-event-source'
import type { FollowedStream } from './followed-stream.ts'
import { createFrameJournal } from './followed-stream.ts'

/** What the package needs of a page. */
export const pageGlobals = {
  window: { fetch, setTimeout, clearTimeout },
  document: { hidden: false, addEventListener: () => undefined, removeEventListener: () => undefined },
}

/** The npm package `@microsoft/fetch-event-source`, which takes every clean end for the end of all. */
export function followWithFetchEventSource(url: string): FollowedStream {
  const { journal, take } = createFrameJournal()
  const leave = new AbortController()
  let connections = 0
  const over = fetchEventSource(url, {
    signal: leave.signal,
    openWhenHidden: true,
    async onopen(response) {
      if (response.status !== 200) throw new Error(`the stream answered ${response.status}`)
      connections += 1
    },
    onmessage: ({ id, event, data }) => {
      // the package makes an empty message of a lone `retry:`
      if (data !== '') take({ id, event, data })
    },
  })
  return { journal, connections: () => connections, over, close: () => leave.abort() }
}
