import { availableParallelism, cpus } from 'node:os'
import { type ClientName, clientTitles } from './bench-client.ts'
import { goalLines } from './goals.ts'
import type { Sample } from './measure.ts'
import type { BenchOptions } from './options.ts'
import type { Measurement, Rounds } from './run-rounds.ts'
import { type Spread, spreadOf } from '../statistics.ts'
import { formatTable } from '../table.ts'
import { installedVersions } from './versions.ts'

/** What was measured and on what. */
export function writeHead({ streams, rate, seconds, rounds }: BenchOptions): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown'
  return [
    `CPU per token of model clients: ${streams} streams of ${rate} tokens/s, ${rounds} rounds of ${seconds} s`,
    `${installedVersions().join(', ')}; ${availableParallelism()} × ${model}`,
    '\n',
  ].join('\n')
}

/** The tables, and whether the goals are met. */
export function writeReport(options: BenchOptions, { measurements, failures }: Rounds): string {
  const { clients, streams, rate } = options
  const paced = rowsOf(clients, samplesOf(measurements, 'paced'), (sample) => {
    return `${Math.round((100 * sample.tokens) / (streams * rate * sample.seconds))} %`
  })
  const flat = rowsOf(clients, samplesOf(measurements, 'flat'), (sample) => {
    return `${Math.round(sample.tokens / sample.seconds / 1_000)} k/s`
  })
  const sections = [
    `At the pace\n${formatTable([...heading, 'tokens of those due'], paced.rows)}`,
    ...(flat.rows.length === 0 ? [] : [`As fast as possible\n${formatTable([...heading, 'tokens'], flat.rows)}`]),
    notes,
    goalLines(paced.costs).join('\n'),
    [...failures].map(([client, reason]) => `Not measured: ${client} (${clientTitles[client]}): ${reason}`).join('\n'),
  ]
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`
}

const heading = ['client', 'µs CPU per token', 'least–most', '× pipe', '× sdk']

const notes = [
  'CPU is user and system time of the whole client process (process.cpuUsage) in the window, medians of the rounds.',
  'Every client of every round is a process of its own, warmed up; the token server is another one. It writes every',
  'token of the pace by itself, those of different streams spread over the interval in steps of a millisecond.',
  'Nothing is subtracted: an idle process takes less than 0.1 % of a core.',
].join('\n')

type Samples = ReadonlyMap<ClientName, readonly Sample[]>

function samplesOf(measurements: readonly Measurement[], kind: 'paced' | 'flat'): Samples {
  const all = Map.groupBy(measurements, ({ client }) => client)
  const entries = [...all].map(([client, own]) => {
    return [client, own.map((one) => one[kind]).filter((sample) => sample !== null)] as const
  })
  return new Map(entries.filter(([, samples]) => samples.length > 0))
}

function rowsOf(clients: readonly ClientName[], samples: Samples, rateOf: (sample: Sample) => string) {
  const costs = new Map<ClientName, Spread>()
  for (const [client, own] of samples) {
    const cost = spreadOf(own.map(({ cpuMicroseconds, tokens }) => cpuMicroseconds / tokens))
    if (cost !== null) costs.set(client, cost)
  }
  const rows = clients.flatMap((client) => {
    const cost = costs.get(client)
    const own = samples.get(client)
    if (cost === undefined || own === undefined) return []
    const range = `${cost.least.toFixed(1)}–${cost.most.toFixed(1)}`
    const ratios = [costs.get('pipe'), costs.get('sdk')].map((floor) => ratioText(cost, floor))
    return [[`${client}: ${clientTitles[client]}`, cost.median.toFixed(1), range, ...ratios, rateOf(total(own))]]
  })
  return { rows, costs }
}

function ratioText(cost: Spread, floor: Spread | undefined): string {
  return floor === undefined ? '' : (cost.median / floor.median).toFixed(2)
}

function total(samples: readonly Sample[]): Sample {
  return samples.reduce((sum, one) => ({
    tokens: sum.tokens + one.tokens,
    cpuMicroseconds: sum.cpuMicroseconds + one.cpuMicroseconds,
    seconds: sum.seconds + one.seconds,
  }))
}
