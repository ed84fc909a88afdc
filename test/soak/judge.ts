import { atFraction } from '../../bench/numbers.ts'
import type { FleetSample } from './samples.ts'

/** Something that the soak is to show. */
export interface Finding {
  readonly what: string
  readonly seen: string
  readonly holds: boolean
}

const mostLoopDelayMs = 50
const mostGrowth = 1.25
const mostLeft = 20
const megabyte = 1_048_576

/** Whether the last process of each replica grew, and whether its event loop was held up. */
export function judgeSamples(samples: readonly FleetSample[]): readonly Finding[] {
  const byReplica = Map.groupBy(samples, ({ replica }) => replica)
  return [...byReplica].flatMap(([replica, all]) => {
    const last = all.filter(({ pid }) => pid === all.at(-1)?.pid)
    return last.length < 6 ? [] : [judgeGrowth(replica, last), judgeLoop(replica, last)]
  })
}

/** The floor of the heap tells a leak from garbage: the lowest of the first third beside that of the last. */
function judgeGrowth(replica: string, samples: readonly FleetSample[]): Finding {
  const third = Math.floor(samples.length / 3)
  const floorOf = (part: readonly FleetSample[]) => Math.min(...part.map(({ heapBytes }) => heapBytes)) / megabyte
  const [before, after] = [floorOf(samples.slice(0, third)), floorOf(samples.slice(-third))]
  const slope = slopePerMinute(samples.map(({ atMs, residentBytes }) => [atMs, residentBytes / megabyte]))
  const resident = `resident memory ${slope >= 0 ? '+' : ''}${slope.toFixed(2)} MB a minute`
  return {
    what: `memory of ${replica}`,
    seen: `floor of the heap ${before.toFixed(1)} MB, later ${after.toFixed(1)} MB; ${resident}`,
    holds: after <= before * mostGrowth,
  }
}

function judgeLoop(replica: string, samples: readonly FleetSample[]): Finding {
  const delays = samples.map(({ loopDelayMs }) => loopDelayMs).toSorted((a, b) => a - b)
  const p90 = atFraction(delays, 0.9)
  const worst = delays.at(-1) ?? 0
  return {
    what: `event loop of ${replica}`,
    seen: `p99 of each 5 s: in nine of ten at most ${p90.toFixed(1)} ms, at worst ${worst.toFixed(1)} ms`,
    holds: p90 <= mostLoopDelayMs,
  }
}

/** Of least squares. */
function slopePerMinute(points: readonly (readonly [atMs: number, value: number])[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const [at, value] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))]
  const over = points.reduce((sum, [x, y]) => sum + (x - at) * (y - value), 0)
  const under = points.reduce((sum, [x]) => sum + (x - at) ** 2, 0)
  return under === 0 ? 0 : (over / under) * 60_000
}

/** Whether a replica that has nothing to do any more is as it was before it had anything to do. */
export function judgeRest(before: FleetSample, after: FleetSample): readonly Finding[] {
  const kinds = [...new Set([...Object.keys(before.resources), ...Object.keys(after.resources)])].toSorted()
  const changes = kinds.map((kind) => ({ kind, from: before.resources[kind] ?? 0, to: after.resources[kind] ?? 0 }))
  return [
    {
      what: `open streams of ${after.replica} at rest`,
      seen: String(after.openStreams),
      holds: after.openStreams === 0,
    },
    {
      what: `timers, sockets and the like of ${after.replica} at rest`,
      seen: changes.map(({ kind, from, to }) => `${kind} ${from} → ${to}`).join(', '),
      holds: changes.every(({ from, to }) => to - from <= mostLeft),
    },
  ]
}
