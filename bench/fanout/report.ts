import { type Goal, goalLines } from '../goal.ts'
import { atFraction } from '../numbers.ts'
import { spreadOf } from '../statistics.ts'
import { formatTable } from '../table.ts'
import type { FanoutSample } from './measure.ts'

/** Who writes to many readers. */
export type FanoutContender = 'raw' | 'ours'

/** What each saw in all rounds. */
export type FanoutSamples = ReadonlyMap<FanoutContender, readonly FanoutSample[]>

type Figure = (sample: FanoutSample) => number

const most = 1.3
const gated = 100

/** The table, and whether the goal is met. */
export function writeReport(samples: FanoutSamples, rate: number): string {
  const sizes = [...new Set([...samples.values()].flat().map(({ readers }) => readers))].toSorted((a, b) => a - b)
  const medianOf = (name: FanoutContender, readers: number, figure: Figure) => {
    const own = (samples.get(name) ?? []).filter((sample) => sample.readers === readers)
    return spreadOf(own.map(figure))?.median ?? null
  }
  const ratioAt = (readers: number) => {
    const [ours, raw] = [medianOf('ours', readers, costOf), medianOf('raw', readers, costOf)]
    return ours === null || raw === null ? null : ours / raw
  }
  const rows = sizes.map((readers) => [
    String(readers),
    ...[medianOf('raw', readers, costOf), medianOf('ours', readers, costOf), ratioAt(readers)].map(text),
    text(medianOf('raw', readers, latencyP50)),
    text(medianOf('ours', readers, latencyP50)),
    `${text(medianOf('ours', readers, (sample) => comeOf(sample, rate)))} %`,
  ])
  const goals = sizes
    .filter((readers) => readers >= gated)
    .map((readers): Goal => ({
      what: `${readers} readers: CPU per delivery beside raw writes`,
      value: ratioAt(readers),
      limit: most,
      unit: ' times',
    }))
  return `${formatTable(heading, rows)}\n\n${notes}\n\n${goalLines(goals).join('\n')}\n`
}

const costOf: Figure = ({ cpuMs, deliveries }) => (1_000 * cpuMs) / deliveries

const latencyP50: Figure = ({ latencies }) =>
  atFraction(
    latencies.toSorted((a, b) => a - b),
    0.5,
  )

function comeOf({ deliveries, readers, seconds }: FanoutSample, rate: number): number {
  return (100 * deliveries) / (readers * rate * seconds)
}

function text(value: number | null): string {
  return value === null ? '' : value.toFixed(value < 100 ? 2 : 0)
}

const heading = [
  'readers',
  'raw µs per delivery',
  'this service',
  '× raw',
  'raw latency p50 ms',
  'this service',
  'tokens of those due',
]

const notes = [
  'CPU is user and system time of the writing process alone per token and reader, medians of the rounds. Raw is a',
  'process that reads the same stream of the model server and writes every piece of it, as it is, with `res.write` to',
  'every reader. With few readers what a process does for itself weighs more than the deliveries.',
].join('\n')
