import { join } from 'node:path'
import { type CommandParts, runCommand } from '../command.ts'
import { goalLines } from '../goal.ts'
import { describeMachine } from '../machine.ts'
import { parseBenchOptions, usageOf } from '../options.ts'
import { type PostgresServer, startPostgres } from '../postgres-server.ts'
import { spreadOf } from '../statistics.ts'
import { formatTable } from '../table.ts'
import { makeTemporaryDirectory } from '../temporary-directory.ts'
import { measureBareStart, measureStart, type StartSample } from './measure.ts'
import { startSentrySink } from './sentry-sink.ts'

const command = {
  command: 'bench:start',
  contenders: [
    'bare',
    'postgres',
    'pglite-new',
    'pglite-existing',
    'postgres-sentry',
    'pglite-existing-sentry',
    'postgres-cold',
  ],
  numbers: { rounds: { fallback: 5, least: 1, most: 50, about: 'starts of each kind' } },
} as const

type StartKind = (typeof command.contenders)[number]

const titles: Readonly<Record<StartKind, string>> = {
  bare: 'a process that does nothing but listen',
  postgres: 'on Postgres',
  'pglite-new': 'embedded, a new data directory',
  'pglite-existing': 'embedded, an existing one',
  'postgres-sentry': 'on Postgres, with Sentry',
  'pglite-existing-sentry': 'embedded, an existing one, with Sentry',
  'postgres-cold': 'on Postgres, nothing compiled before',
}

type Choice = NonNullable<ReturnType<typeof choose>>

function choose(args: readonly string[]) {
  return parseBenchOptions(command, args)
}

async function bench(choice: Choice, { signal, progress }: CommandParts): Promise<void> {
  const { rounds } = choice.numbers
  process.stdout.write(
    `Starts of the service, ${rounds} of each kind\n${describeMachine(['fastify', '@sentry/node'])}\n\n`,
  )
  const postgres = choice.contenders.some(isOnPostgres) ? await startPostgres() : null
  const sentry = await startSentrySink()
  const home = await makeTemporaryDirectory()
  const samples = new Map<StartKind, StartSample[]>(choice.contenders.map((kind) => [kind, []]))
  const site: Site = { postgres, dsn: sentry.dsn, home: home.path }
  try {
    await warmUp(choice.contenders, site)
    for (let round = 0; round < rounds; round += 1) {
      for (const kind of choice.contenders) {
        progress(`round ${round + 1} of ${rounds}: ${kind}`)
        signal.throwIfAborted()
        samples.get(kind)?.push(await startOnce(kind, site, round))
      }
    }
  } finally {
    sentry.close()
    await postgres?.stop()
    await home.remove()
  }
  process.stdout.write(report(samples))
}

interface Site {
  readonly postgres: PostgresServer | null
  readonly dsn: string
  readonly home: string
}

const database = 'bench_start'

function isOnPostgres(kind: StartKind): boolean {
  return kind.startsWith('postgres')
}

/** Fills the cache of what is compiled, the databases that exist, and the prepared one from which new ones are made. */
async function warmUp(kinds: readonly StartKind[], site: Site): Promise<void> {
  if (kinds.some(isOnPostgres)) await site.postgres?.createDatabase(database)
  for (const kind of kinds) await startOnce(kind, site, -1)
}

async function startOnce(kind: StartKind, site: Site, round: number): Promise<StartSample> {
  if (kind === 'bare') return measureBareStart()
  const isCold = kind === 'postgres-cold'
  return measureStart({
    directory: join(site.home, kind === 'pglite-new' ? `new-${round}` : 'existing'),
    databaseUrl: isOnPostgres(kind) ? (site.postgres?.urlOf(database) ?? null) : null,
    sentryDsn: kind.endsWith('sentry') ? site.dsn : null,
    compileCache: join(site.home, isCold ? `cold-${round}` : 'compiled'),
  })
}

type Figure = (sample: StartSample) => number

const listening: Figure = ({ listeningMs }) => listeningMs
const ready: Figure = ({ readyMs }) => readyMs
const memory: Figure = ({ memoryKb }) => memoryKb / 1_024

function spreadText(own: readonly StartSample[], figure: Figure): string {
  const spread = spreadOf(own.map(figure))
  if (spread === null) return ''
  return `${spread.median.toFixed(0)} (${spread.least.toFixed(0)}–${spread.most.toFixed(0)})`
}

function report(samples: ReadonlyMap<StartKind, readonly StartSample[]>): string {
  const rows = [...samples].map(([kind, own]) => [
    titles[kind],
    spreadText(own, listening),
    spreadText(own, ready),
    spreadText(own, memory),
  ])
  const medianOf = (kind: StartKind, figure: Figure) => spreadOf((samples.get(kind) ?? []).map(figure))?.median ?? null
  const goals = goalLines([
    { what: 'listening, on Postgres', value: medianOf('postgres', listening), limit: 500, unit: ' ms' },
    { what: 'listening, embedded', value: medianOf('pglite-existing', listening), limit: 500, unit: ' ms' },
    { what: 'ready, on Postgres', value: medianOf('postgres', ready), limit: 1_000, unit: ' ms' },
    { what: 'ready, embedded, existing', value: medianOf('pglite-existing', ready), limit: 1_000, unit: ' ms' },
    { what: 'ready, embedded, new', value: medianOf('pglite-new', ready), limit: 2_000, unit: ' ms' },
    { what: 'memory on Postgres', value: medianOf('postgres', memory), limit: 130, unit: ' MB' },
  ])
  return `${formatTable(heading, rows)}\n\n${notes}\n\n${goals.join('\n')}\n`
}

const heading = ['start', 'listening ms', 'ready ms', 'memory MB']

const notes = [
  'Milliseconds from the start of the process until it says that it listens, and until /readyz answers 200; memory is',
  'what is resident one and a half seconds later. Medians (least–most). Node keeps what it has compiled from start to',
  'start, but for the last row.',
].join('\n')

await runCommand(async (parts) => {
  const choice = choose(process.argv.slice(2))
  if (choice === null) process.stdout.write(usageOf(command))
  else await bench(choice, parts)
})
