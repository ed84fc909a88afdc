import { goalLines } from '../goal.ts'
import type { Sample } from '../engine/measure.ts'
import { atFraction } from '../numbers.ts'
import { spreadOf } from '../statistics.ts'
import { formatTable } from '../table.ts'
import type { RetentionPlan, RetentionResult } from './measure.ts'

const shortMs = 50

/** What one database showed, as text for people. */
export function reportOf(plan: RetentionPlan, result: RetentionResult): string {
  const where = plan.databaseUrl === null ? 'PGlite' : 'Postgres'
  const batches = result.batches.filter(({ removed }) => removed > 0)
  const times = batches.map(({ ms }) => ms).toSorted((a, b) => a - b)
  const removed = batches.reduce((sum, batch) => sum + batch.removed, 0)
  const seconds = result.with.reduce((sum, sample) => sum + sample.seconds, 0)
  const sizes = batches.map((batch) => batch.removed).toSorted((a, b) => a - b)
  const rows = [rowOf('without retention', result.without), rowOf('while it deletes', result.with)]
  const waits = result.longestWaits
  const lines = [
    `${where}: ${plan.stored} ended workflows stored, ${plan.inFlight} running`,
    '',
    formatTable(['workflows of six steps', 'runs/s', 'p50 ms', 'p99 ms'], rows),
    '',
    `Deleted ${removed} in ${seconds.toFixed(0)} s (${(removed / Math.max(1, seconds)).toFixed(0)}/s), ${result.left} left.`,
    `${batches.length} batches of ${atFraction(sizes, 0.5)} (${sizes[0] ?? 0}–${sizes.at(-1) ?? 0}): p50 ${shortly(atFraction(times, 0.5))} ms, p99 ${shortly(atFraction(times, 0.99))} ms, longest ${shortly(times.at(-1) ?? 0)} ms.`,
    ...(waits === null
      ? []
      : [
          `Longest wait for a lock that retention had: ${shortly(waits.with.ofRetention)} ms; for any: ` +
            `${shortly(waits.with.ofAnybody)} ms with, ${shortly(waits.without.ofAnybody)} ms without.`,
        ]),
    '',
    ...goalLines([{ what: 'a batch, p99', value: atFraction(times, 0.99), limit: shortMs, unit: ' ms' }]),
  ]
  return `${lines.join('\n')}\n`
}

function rowOf(title: string, samples: readonly Sample[]): readonly string[] {
  const median = (figure: (sample: Sample) => number) => spreadOf(samples.map(figure))?.median ?? 0
  const perSecond = median(({ runs, seconds }) => runs / seconds)
  return [title, perSecond.toFixed(1), shortly(median(({ p50 }) => p50)), shortly(median(({ p99 }) => p99))]
}

function shortly(ms: number): string {
  return ms.toFixed(ms < 10 ? 1 : 0)
}
