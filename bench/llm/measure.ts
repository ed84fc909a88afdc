import type { BenchModel } from './answer-frames.ts'
import type { BenchClient } from './bench-client.ts'

/** What a client spent in one window. */
export interface Sample {
  readonly tokens: number
  /** User and system time of the whole process, as the operating system counts it. */
  readonly cpuMicroseconds: number
  readonly seconds: number
}

/** How a client is measured. */
export interface Window {
  readonly model: BenchModel
  readonly streams: number
  /** Passes before anything is counted, so that connections are open and code is compiled. */
  readonly warmUpMs: number
  readonly windowMs: number
}

/** Keeps so many streams open and looks at the process at the beginning and at the end of the window. */
export async function measure(client: BenchClient, window: Window): Promise<Sample> {
  let tokens = 0
  const stop = new AbortController()
  const readers = Array.from({ length: window.streams }, () =>
    readOn(client, { model: window.model, onTokens: (count) => void (tokens += count), signal: stop.signal }),
  )
  const work = Promise.all(readers)
  try {
    await Promise.race([work, pause(window.warmUpMs)])
    const begun = look(tokens)
    await Promise.race([work, pause(window.windowMs)])
    const ended = look(tokens)
    return {
      tokens: ended.tokens - begun.tokens,
      cpuMicroseconds: ended.cpuMicroseconds - begun.cpuMicroseconds,
      seconds: ended.seconds - begun.seconds,
    }
  } finally {
    stop.abort()
    await work.catch(() => {})
  }
}

async function readOn(
  client: BenchClient,
  about: { readonly model: BenchModel; readonly onTokens: (count: number) => void; readonly signal: AbortSignal },
): Promise<void> {
  const { model, onTokens, signal } = about
  try {
    while (!signal.aborted) await client.read(model, onTokens, signal)
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

function look(tokens: number): Sample {
  const { user, system } = process.cpuUsage()
  return { tokens, cpuMicroseconds: user + system, seconds: performance.now() / 1_000 }
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, durationMs))
}
