import { AsyncLocalStorage } from 'node:async_hooks'
import type { EventBatch, EventReader } from '../workflows/service.ts'
import type { StreamConnection } from './stream-connection.ts'

type WritingEnd = Pick<StreamConnection, 'over' | 'write'>

/** What could not be passed on at once: a batch, or the promise of one. */
export interface Rest {
  readonly asked: EventBatch | Promise<EventBatch>
}

/**
 * Passes on to the connection what the reader gets, as it comes, for as long as that can be read and written at once:
 * a promise for each token and reader would cost more than the token. Resolves with what has to be waited for, or is
 * the last; rejects as reading or writing does, and with the connection's reason once it is over.
 */
export function passOn(reader: EventReader, connection: WritingEnd, limit: number): Promise<Rest> {
  const { promise, resolve, reject } = Promise.withResolvers<Rest>()
  const step = () => {
    try {
      const rest = passWhatIsThere(reader, connection, limit)
      if (rest !== null) resolve(leave(rest))
    } catch (error) {
      reject(leave(error))
    }
  }
  const abort = () => reject(leave(connection.over.reason))
  let left = false
  let stopListening: (() => void) | null = null
  const leave = <T>(result: T): T => {
    left = true
    stopListening?.()
    connection.over.removeEventListener('abort', abort)
    return result
  }

  if (connection.over.aborted) return Promise.reject(connection.over.reason as Error)
  connection.over.addEventListener('abort', abort, { once: true })
  // what reads and fails shall do so in the request's name, not in that of whoever made the text
  const inContext = AsyncLocalStorage.snapshot()
  stopListening = reader.onChange(() => {
    if (!left) inContext(step)
  })
  if (left) stopListening()
  return promise
}

/** null: everything that is there has been passed on. */
function passWhatIsThere(reader: EventReader, connection: WritingEnd, limit: number): Rest | null {
  for (;;) {
    const asked = reader.read(limit)
    if (asked instanceof Promise || asked.gone || asked.done) return { asked }
    if (asked.frames.length === 0) return null
    const written = connection.write(asked)
    if (written !== undefined) return { asked: written.then(() => reader.read(limit)) }
    // text that is read at once is all that there is
    if (asked.frames.length < limit) return null
  }
}
