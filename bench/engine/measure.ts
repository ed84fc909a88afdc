import type { Contender, DatabaseCounts } from './contender.ts'
import { processorMs } from '../processor-time.ts'

/** How a contender is measured: so many runs at the same time, each followed by the next. */
export interface Window {
  readonly inFlight: number
  /** Passes before anything is counted, so that connections are open and code is compiled. */
  readonly warmUpMs: number
  readonly windowMs: number
}

/** What was seen in one window. */
export interface Sample {
  readonly inFlight: number
  readonly runs: number
  readonly seconds: number
  /** Milliseconds from asking for a run to its end. */
  readonly p50: number
  readonly p99: number
  /** User and system time of the contender's process, as the operating system counts it. */
  readonly cpuMs: number
  /** The same of its database server; null: unknown, or it has none. */
  readonly databaseCpuMs: number | null
  readonly counts: DatabaseCounts | null
  /** When the window began and ended, in milliseconds since the epoch. */
  readonly from: number
  readonly to: number
}

/** Where a sample's figures come from beside the contender itself. */
export interface Gauges {
  readonly counts: (() => Promise<DatabaseCounts>) | null
  /** Process of the database server; null: it has none. */
  readonly databasePid: number | null
}

interface Look {
  readonly cpuMs: number
  readonly databaseCpuMs: number | null
  readonly counts: DatabaseCounts | null
  readonly at: number
}

/** Keeps so many runs going and looks at the process and the database at the beginning and the end of the window. */
export async function measure(contender: Contender, window: Window, gauges: Gauges): Promise<Sample> {
  const state = { going: true, durations: null as number[] | null }
  const runOn = async () => {
    while (state.going) {
      const begunAt = performance.now()
      await contender.run()
      state.durations?.push(performance.now() - begunAt)
    }
  }
  const work = Promise.all(Array.from({ length: window.inFlight }, runOn))
  try {
    await Promise.race([work, pause(window.warmUpMs)])
    const begun = await look(gauges)
    const durations: number[] = []
    state.durations = durations
    await Promise.race([work, pause(window.windowMs)])
    state.durations = null
    const ended = await look(gauges)
    return sampleOf(window, durations, { begun, ended })
  } finally {
    state.going = false
    await work.catch(() => undefined)
  }
}

async function look({ counts, databasePid }: Gauges): Promise<Look> {
  const counted = await counts?.()
  const { user, system } = process.cpuUsage()
  return {
    counts: counted ?? null,
    databaseCpuMs: databasePid === null ? null : processorMs(databasePid),
    cpuMs: (user + system) / 1_000,
    at: performance.timeOrigin + performance.now(),
  }
}

function sampleOf(
  { inFlight }: Window,
  durations: readonly number[],
  { begun, ended }: { readonly begun: Look; readonly ended: Look },
): Sample {
  const sorted = durations.toSorted((a, b) => a - b)
  return {
    inFlight,
    runs: sorted.length,
    seconds: (ended.at - begun.at) / 1_000,
    p50: atFraction(sorted, 0.5),
    p99: atFraction(sorted, 0.99),
    cpuMs: ended.cpuMs - begun.cpuMs,
    databaseCpuMs: difference(ended.databaseCpuMs, begun.databaseCpuMs),
    counts: countsBetween(begun.counts, ended.counts),
    from: begun.at,
    to: ended.at,
  }
}

function difference(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a - b
}

function countsBetween(begun: DatabaseCounts | null, ended: DatabaseCounts | null): DatabaseCounts | null {
  if (begun === null || ended === null) return null
  return { statements: ended.statements - begun.statements, commits: ended.commits - begun.commits }
}

/** The value below which that part of the sorted values lies; 0 of none. */
export function atFraction(sorted: readonly number[], fraction: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? 0
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, durationMs))
}
