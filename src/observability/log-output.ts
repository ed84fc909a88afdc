import { once } from 'node:events'
import pino from 'pino'

/** Where lines go. No method throws; `close` settles within its deadline, whatever the other side does. */
export interface LogOutput {
  write(line: string): void
  /** Resolves when everything written so far is out, or cannot be. */
  flush(): Promise<void>
  close(): Promise<void>
}

/** Told once when an output stops taking lines, and once when it takes them again, with the number of those lost if it is known. */
export interface OutputObserver {
  failed(reason: string): void
  recovered(lostLines: number | null): void
}

// a reader that stands still must not fill the memory
const longestBacklogBytes = 16 * 1024 * 1024
const patienceMs = 2_000

/** Writes to a file descriptor without blocking the event loop. */
export function createDescriptorOutput(fd: number, observer: OutputObserver): LogOutput {
  const stream = pino.destination({ fd, sync: false, maxLength: longestBacklogBytes })
  let failing = false
  let lost = 0
  let busy = false
  let closed = false

  const fail = (reason: string): void => {
    if (failing) return
    failing = true
    observer.failed(reason)
  }
  stream.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message))
  stream.on('drop', () => {
    lost += 1
    fail('it takes no more lines')
  })
  stream.on('drain', () => {
    busy = false
  })
  stream.on('write', () => {
    if (!failing) return
    failing = false
    const lostLines = lost
    lost = 0
    observer.recovered(lostLines)
  })

  return {
    write: (line) => {
      if (closed) return
      busy = true
      quietly(() => stream.write(line))
    },
    flush: async () => {
      if (busy && !failing && !closed) await settled(stream, 'drain')
    },
    close: async () => {
      if (closed) return
      closed = true
      const end = settled(stream, 'close')
      quietly(() => stream.end())
      await end
      quietly(() => stream.destroy())
    },
  }
}

/** Writes to anything that has a `write`: streams of tests and terminals. */
export function createStreamOutput(stream: { write(line: string): unknown }): LogOutput {
  return {
    write: (line) => quietly(() => stream.write(line)),
    flush: async () => {},
    close: async () => {},
  }
}

async function settled(stream: ReturnType<typeof pino.destination>, event: string): Promise<void> {
  try {
    await once(stream, event, { signal: AbortSignal.timeout(patienceMs) })
  } catch {
    // an error or the deadline: there is nothing left to wait for
  }
}

function quietly(action: () => unknown): void {
  try {
    action()
  } catch {
    // a line that cannot be written has nowhere to be reported
  }
}
