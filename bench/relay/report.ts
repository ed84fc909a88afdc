import { type Goal, goalLines } from '../goal.ts'
import { atFraction } from '../numbers.ts'
import { spreadOf } from '../statistics.ts'
import { formatTable } from '../table.ts'
import { type ContenderName, contenderNames, contenderTitles, isOurs, isPeer } from './contender.ts'
import type { Sample, Spent } from './measure.ts'
import type { Measurement, Rounds } from './run-rounds.ts'

type MedianOf = (name: ContenderName, figure: (sample: Sample) => number | null) => number | null

/** The tables, and whether the goals are met. */
export function writeReport({ measurements, failures }: Rounds, due: number): string {
  const medianOf = medians(measurements)
  const seen = contenderNames.filter((name) => measurements.some(({ contender }) => contender === name))
  const sections = [
    `At the pace\n${formatTable(pacedHeading, seen.map(pacedRow(medianOf, due)))}`,
    `As fast as possible, from the requests to the ends\n${formatTable(flatHeading, seen.map(flatRow(medianOf)))}`,
    `One request at a time\n${formatTable(probeHeading, seen.map(probeRow(medianOf)))}`,
    notes,
    goalLines(goals(medianOf)).join('\n'),
    [...failures].map(([name, reason]) => `Not measured: ${name} (${contenderTitles[name]}): ${reason}`).join('\n'),
  ]
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`
}

function medians(measurements: readonly Measurement[]): MedianOf {
  const all = Map.groupBy(measurements, ({ contender }) => contender)
  return (name, figure) => {
    const values = (all.get(name) ?? []).map(({ sample }) => figure(sample)).filter((value) => value !== null)
    return spreadOf(values)?.median ?? null
  }
}

const costOf = ({ cpuMs, tokens }: Spent) => (1_000 * cpuMs) / tokens
const pacedCost = ({ paced }: Sample) => costOf(paced)
const flatCost = ({ flat }: Sample) => costOf(flat)
const latency = (fraction: number) => (sample: Sample) =>
  atFraction(
    sample.latencies.toSorted((a, b) => a - b),
    fraction,
  )
const middle = (values: readonly number[]) => spreadOf(values)?.median ?? null

function storageShare({ cpuMs, databaseMs }: Spent, inside: boolean): number {
  return (100 * databaseMs) / (inside ? cpuMs : cpuMs + databaseMs)
}

const shareOf = (name: ContenderName, kind: 'paced' | 'flat') => (sample: Sample) =>
  isOurs(name) ? storageShare(sample[kind], name === 'ours-pglite') : null

function text(value: number | null, digits = 2): string {
  return value === null ? '' : value.toFixed(digits)
}

function ratio(value: number | null, floor: number | null): number | null {
  return value === null || floor === null ? null : value / floor
}

const pacedHeading = [
  'through',
  'µs CPU per token',
  '× pipe',
  'latency p50 ms',
  'p99 ms',
  'added p50',
  'p99 × pipe',
  'database %',
  'tokens of those due',
]

function pacedRow(medianOf: MedianOf, due: number) {
  return (name: ContenderName): readonly string[] => {
    const cost = medianOf(name, pacedCost)
    const [p50, p99] = [medianOf(name, latency(0.5)), medianOf(name, latency(0.99))]
    const floor = medianOf('pipe', latency(0.5))
    const came = medianOf(name, ({ paced }) => (100 * paced.tokens) / (due * paced.seconds))
    return [
      `${name}: ${contenderTitles[name]}`,
      text(cost, 1),
      text(ratio(cost, medianOf('pipe', pacedCost))),
      text(p50),
      text(p99, 1),
      p50 === null || floor === null ? '' : text(p50 - floor),
      text(ratio(p99, medianOf('pipe', latency(0.99))), 1),
      text(medianOf(name, shareOf(name, 'paced')), 1),
      `${text(came, 0)} %`,
    ]
  }
}

const flatHeading = ['through', 'µs CPU per token', '× pipe', 'k tokens/s', 'k tokens/s of CPU', 'database %']

function flatRow(medianOf: MedianOf) {
  return (name: ContenderName): readonly string[] => {
    const cost = medianOf(name, flatCost)
    return [
      `${name}: ${contenderTitles[name]}`,
      text(cost),
      text(ratio(cost, medianOf('pipe', flatCost))),
      text(
        medianOf(name, ({ flat }) => flat.tokens / flat.seconds / 1_000),
        0,
      ),
      cost === null ? '' : text(1_000 / cost, 0),
      text(medianOf(name, shareOf(name, 'flat')), 1),
    ]
  }
}

const probeHeading = ['through', 'POST to model, p50 ms', 'model to reader, p50 ms']

function probeRow(medianOf: MedianOf) {
  return (name: ContenderName): readonly string[] => [
    `${name}: ${contenderTitles[name]}`,
    text(medianOf(name, ({ toModel }) => middle(toModel))),
    text(medianOf(name, ({ firstToken }) => middle(firstToken))),
  ]
}

function goals(medianOf: MedianOf): readonly Goal[] {
  const ours = medianOf('ours', pacedCost)
  const peers = contenderNames.filter(isPeer).map((name) => medianOf(name, pacedCost))
  const known = peers.filter((cost) => cost !== null)
  const p50s = [medianOf('ours', latency(0.5)), medianOf('pipe', latency(0.5))] as const
  const p99s = [medianOf('ours', latency(0.99)), medianOf('pipe', latency(0.99))] as const
  const toModel = (name: ContenderName) => medianOf(name, (sample) => middle(sample.toModel))
  return [
    {
      what: 'CPU per token, beside the byte pipe',
      value: ratio(ours, medianOf('pipe', pacedCost)),
      limit: 2,
      unit: ' times',
    },
    {
      what: 'CPU per token, beside the best peer',
      value: ratio(ours, known.length > 0 ? Math.min(...known) : null),
      limit: 0.7,
      unit: ' times',
    },
    {
      what: 'latency added to the pipe, p50',
      value: p50s[0] === null || p50s[1] === null ? null : p50s[0] - p50s[1],
      limit: 0.5,
      unit: ' ms',
    },
    { what: "p99 of latency beside the pipe's", value: ratio(...p99s), limit: 5, unit: ' times' },
    {
      what: 'first token, from the model to the reader, p50',
      value: medianOf('ours', ({ firstToken }) => middle(firstToken)),
      limit: 3,
      unit: ' ms',
    },
    { what: 'POST to the request at the model, Postgres, p50', value: toModel('ours'), limit: 10, unit: ' ms' },
    { what: 'POST to the request at the model, PGlite, p50', value: toModel('ours-pglite'), limit: 25, unit: ' ms' },
    {
      what: "the database's share of CPU at the pace, Postgres",
      value: medianOf('ours', shareOf('ours', 'paced')),
      limit: 15,
      unit: ' %',
    },
    {
      what: "the database's share of CPU at the pace, PGlite",
      value: medianOf('ours-pglite', shareOf('ours-pglite', 'paced')),
      limit: 15,
      unit: ' %',
    },
  ]
}

const notes = [
  'CPU is user and system time of the process under test alone, as the operating system counts it, medians of the rounds.',
  'Model server, process under test and readers are three processes; every round starts them anew. Each token is a chunk',
  'of HTTP with one event, as llama-server sends it, and says when it was sent. Nothing is subtracted. For this service a',
  "stream is a POST that starts a workflow of one step; database % is Postgres's part of both, or that of the thread in",
  'which PGlite runs. Without a pace the workflow itself weighs in: its start, its end and the stored text.',
].join('\n')
