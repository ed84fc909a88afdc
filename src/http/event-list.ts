import type { EventReader } from '../workflows/service.ts'
import { AppError } from '../errors.ts'

/** What one request for events as JSON asks for. */
export interface EventListQuery {
  readonly limit: number
  /** How long to wait for the first event; 0: not at all. */
  readonly waitMs: number
  /** Aborted when nobody waits for the answer any more, or the server cannot wait. */
  readonly signal: AbortSignal
}

interface Collected {
  readonly events: string[]
  done: boolean
}

async function collect(reader: EventReader, collected: Collected, limit: number): Promise<void> {
  while (collected.events.length < limit && !collected.done) {
    const { frames, done, gone } = await reader.read(limit - collected.events.length)
    if (gone) throw new AppError('not-found', 'It was deleted.')
    for (const { id, data } of frames) {
      if (id !== null) collected.events.push(`{"id":${JSON.stringify(id)},${data.slice(1)}`)
    }
    collected.done = done
    if (frames.length === 0) return
  }
}

/** Resolves at a change, at the end of the time, or when the signal is aborted. */
async function waitForChange(reader: EventReader, signal: AbortSignal): Promise<void> {
  await reader.changed(signal).catch((error: unknown) => {
    if (!signal.aborted) throw error
  })
}

/**
 * Events beyond the reader's position as the JSON text of `{data, next, done}`. Frames are JSON already and are
 * joined as text. With `waitMs` it answers at the first event, at the end, or after that time with none.
 */
export async function listEvents(reader: EventReader, { limit, waitMs, signal }: EventListQuery): Promise<string> {
  const collected: Collected = { events: [], done: false }
  const waiting = AbortSignal.any([signal, AbortSignal.timeout(waitMs)])
  await collect(reader, collected, limit)
  while (waitMs > 0 && collected.events.length === 0 && !collected.done && !waiting.aborted) {
    await waitForChange(reader, waiting)
    await collect(reader, collected, limit)
  }
  const next = JSON.stringify(reader.cursor)
  return `{"data":[${collected.events.join(',')}],"next":${next},"done":${collected.done}}`
}
