import { setTimeout as sleep } from 'node:timers/promises'

import type { HearHints, Hints } from '../workflows/hints.ts'
import { unavailable } from './database-errors.ts'
import type { HearPayload, NotifyConnection } from './notify-connection.ts'
import { createNotifyOutbox } from './notify-outbox.ts'
import type { NotifyOutbox } from './notify-outbox.ts'
import { toPayloads } from './notify-payload.ts'

/** Hints over a connection that is made again whenever it is lost. */
export interface NotifyHints extends Hints {
  /** Resolves when the first try to connect has succeeded or failed. */
  start(): Promise<void>
  /** Sends what was told before, if there is a connection, and lets go of it. */
  close(): Promise<void>
}

export interface NotifyHintsParts {
  readonly connect: (hear: HearPayload, signal: AbortSignal) => Promise<NotifyConnection>
  /** Told why there is no connection, once each time that it is lost. */
  onError?(error: unknown): void
}

export interface NotifyHintsOptions {
  /** Wait before connecting again; it doubles, up to the longest, until a connection has lasted longer than that. */
  readonly firstWaitMs?: number
  readonly longestWaitMs?: number
  /** How often a connection is asked whether it still is one. */
  readonly askEveryMs?: number
}

/** Stands before an id in what is sent about its texts; no id begins with it. */
const textMark = '~'

/** Creates hints that connect when they are started. What is told before, or without a connection, is sent with the next. */
export function createNotifyHints(parts: NotifyHintsParts, options: NotifyHintsOptions = {}): NotifyHints {
  const { firstWaitMs = 250, longestWaitMs = 2000, askEveryMs = 5000 } = options
  const listeners = new Set<HearHints>()
  const outbox = createNotifyOutbox()
  const closing = new AbortController()
  const tried = Promise.withResolvers<void>()
  let running: Promise<void> | null = null
  let listening = false
  let reported = false

  const hear: HearPayload = (marked) => {
    const changed = marked.filter((id) => !id.startsWith(textMark))
    const texts = marked.filter((id) => id.startsWith(textMark)).map((id) => id.slice(textMark.length))
    for (const listener of listeners) listener(changed, texts)
  }
  const failed = (error: unknown) => {
    if (!reported && !closing.signal.aborted) parts.onError?.(error)
    reported = true
  }
  const connectOnce = async () => {
    const connection = await parts.connect(hear, closing.signal)
    listening = true
    reported = false
    tried.resolve()
    try {
      await serve(connection, { outbox, askEveryMs, closing: closing.signal })
    } finally {
      listening = false
      await connection.close()
    }
  }
  const run = async () => {
    // One loop and one connection at a time, however many ways it has to say that it broke.
    for (let waitMs = firstWaitMs; !closing.signal.aborted; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
      const startedAt = performance.now()
      await connectOnce().catch(failed)
      tried.resolve()
      if (performance.now() - startedAt > longestWaitMs) waitMs = firstWaitMs
      await sleep(waitMs, undefined, { signal: closing.signal }).catch(() => undefined)
    }
    tried.resolve()
  }

  return {
    tell: (workflowId) => outbox.add(workflowId),
    tellText: (workflowId) => outbox.add(textMark + workflowId),
    listen(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    listening: () => listening,
    async start() {
      running ??= run()
      await tried.promise
    },
    async close() {
      closing.abort()
      outbox.wake()
      await running
    },
  }
}

interface Serving {
  readonly outbox: NotifyOutbox
  readonly askEveryMs: number
  /** Aborted when nothing more is told. */
  readonly closing: AbortSignal
}

/** Sends what is told, one statement at a time. Rejects when the connection is lost; resolves when closing is done. */
async function serve(connection: NotifyConnection, { outbox, askEveryMs, closing }: Serving): Promise<void> {
  let gone = false
  let askNow = false
  const leave = () => {
    gone = true
    outbox.wake()
  }
  void connection.gone.then(leave)
  const asking = setInterval(() => {
    askNow = true
    outbox.wake()
  }, askEveryMs).unref()
  try {
    while (!gone) {
      const ids = outbox.take()
      if (ids.length > 0 || askNow) {
        askNow = false
        await send(connection, ids, outbox)
      } else if (closing.aborted) return
      else await outbox.woken()
    }
    throw unavailable('The connection for notifications was lost.')
  } finally {
    clearInterval(asking)
  }
}

async function send(connection: NotifyConnection, ids: readonly string[], outbox: NotifyOutbox): Promise<void> {
  try {
    await connection.send(toPayloads(ids))
  } catch (error) {
    // They may have arrived: hearing of a change twice does no harm.
    for (const id of ids) outbox.add(id)
    throw error
  }
}
