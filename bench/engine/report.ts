import { existsSync, readFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { type Spread, spreadOf } from '../statistics.ts'
import { formatTable } from '../table.ts'
import { contenderFacts } from './contender.ts'
import { goalLines } from './goals.ts'
import type { GrowthRow } from './growth.ts'
import type { Sample } from './measure.ts'
import type { BenchOptions } from './options.ts'
import type { Arena } from './run-contender.ts'
import type { Rounds } from './run-rounds.ts'

const packages = {
  'pg-boss': '../../node_modules/pg-boss',
  PGlite: '../../node_modules/@electric-sql/pglite',
  Mastra: '../peers/node_modules/@mastra/core',
  LangGraph: '../peers/node_modules/@langchain/langgraph',
  DBOS: '../peers/node_modules/@dbos-inc/dbos-sdk',
  BullMQ: '../peers/node_modules/bullmq',
}

/** What is measured and on what. */
export function writeHead({ seconds, rounds, inFlight, outputBytes }: BenchOptions, arena: Arena): string {
  const versions = Object.entries(packages).flatMap(([name, folder]) => {
    const path = fileURLToPath(new URL(`${folder}/package.json`, import.meta.url))
    if (!existsSync(path)) return []
    return [`${name} ${(JSON.parse(readFileSync(path, 'utf8')) as { readonly version: string }).version}`]
  })
  const model = cpus()[0]?.model.trim() ?? 'unknown'
  return [
    `Six empty steps (a → b → c → d, e → f), texts of ${outputBytes} bytes: one at a time and ${inFlight} in flight,`,
    `${rounds} rounds of ${seconds} s each, medians (least–most)`,
    `Node ${process.versions.node}, Postgres ${arena.postgres.version}, ${versions.join(', ')}`,
    `${availableParallelism()} × ${model}`,
    '\n',
  ].join('\n')
}

/** The tables, and whether the goals are met. */
export function writeReport(
  { contenders, inFlight }: BenchOptions,
  { measurements, failures }: Rounds,
  growth: readonly GrowthRow[],
): string {
  const all = Map.groupBy(measurements, ({ contender }) => contender)
  const rowsOf = (kind: 'alone' | 'together') =>
    contenders.flatMap((name) => {
      const samples = all.get(name)?.map((one) => one[kind]) ?? []
      return samples.length === 0 ? [] : [[`${name}: ${contenderFacts[name].title}`, ...figuresOf(samples)]]
    })
  const sections = [
    `One at a time\n${formatTable(heading, rowsOf('alone'))}`,
    `${inFlight} in flight\n${formatTable(heading, rowsOf('together'))}`,
    growth.length === 0 ? '' : writeGrowth(growth, inFlight),
    notes,
    goalLines(measurements, inFlight).join('\n'),
    [...failures]
      .map(([name, reason]) => `Not measured: ${name} (${contenderFacts[name].title}): ${reason}`)
      .join('\n'),
  ]
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`
}

const heading = ['contender', 'p50 ms', 'p99 ms', 'runs/s', 'CPU ms', 'database CPU ms', 'statements', 'commits']

/** Of one window: what stands behind the name in a table. */
function figuresOf(all: readonly Sample[]): readonly string[] {
  const samples = all.filter(({ runs }) => runs > 0)
  const each = (figure: (sample: Sample) => number | null) => {
    return spreadOf(samples.map(figure).filter((value) => value !== null))
  }
  return [
    withRange(each(({ p50 }) => p50)),
    withRange(each(({ p99 }) => p99)),
    withRange(each(({ runs, seconds }) => runs / seconds)),
    plain(each(({ cpuMs, runs }) => cpuMs / runs)),
    plain(each(({ databaseCpuMs, runs }) => (databaseCpuMs === null ? null : databaseCpuMs / runs))),
    plain(each(({ counts, runs }) => (counts === null ? null : counts.statements / runs))),
    plain(each(({ counts, runs }) => (counts === null ? null : counts.commits / runs))),
  ]
}

function withRange(spread: Spread | null): string {
  if (spread === null) return ''
  const { median, least, most } = spread
  return `${shortly(median)} (${shortly(least)}–${shortly(most)})`
}

function plain(spread: Spread | null): string {
  return spread === null ? '' : shortly(spread.median)
}

function shortly(value: number): string {
  return value.toFixed(value < 100 ? 1 : 0)
}

const growthHeading = ['this service', 'p50 ms', 'statements', 'commits', 'CPU ms', 'database CPU ms', 'runs/s']

function writeGrowth(rows: readonly GrowthRow[], inFlight: number): string {
  const lines = rows.map(({ title, result }) => {
    if (typeof result === 'string') return [title, result]
    const [p50 = '', , , cpu = '', databaseCpu = '', statements = '', commits = ''] = figuresOf([result.alone])
    const together = result.together.runs / result.together.seconds
    return [title, p50.split(' ')[0] ?? '', statements, commits, cpu, databaseCpu, shortly(together)]
  })
  const title = `How the work grows: one at a time; runs/s with ${inFlight} in flight`
  return `${title}\n${formatTable(growthHeading, lines)}`
}

const notes = [
  'A run is from asking for it to its end being seen in the process; here by a reader of all its events. Every contender',
  'of every round is a process of its own on a database of its own, all on the same Postgres, with fsync, over TCP.',
  'CPU, statements and commits are per run. CPU is user and system time of the process, as the operating system counts',
  'it; database CPU that of all processes of the server, in steps of 10 ms. Statements are those that clients send',
  '(pg_stat_statements, BEGIN and COMMIT among them); commits are transactions that got a number, so wrote something.',
  'LangGraph, Mastra and DBOS start a run in the process that asks; here it goes through a queue that any process takes from.',
].join('\n')
