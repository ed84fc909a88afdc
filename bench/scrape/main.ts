import { type ModelServerDouble, startModelServer } from '../../test/support/fault-server.ts'
import { type CommandParts, runCommand } from '../command.ts'
import { goalLines } from '../goal.ts'
import { describeMachine } from '../machine.ts'
import { atFraction } from '../numbers.ts'
import { parseBenchOptions, usageOf } from '../options.ts'
import { type PostgresServer, startPostgres } from '../postgres-server.ts'
import { formatTable } from '../table.ts'
import { makeTemporaryDirectory } from '../temporary-directory.ts'
import { measureScrapes, type ScrapeSample } from './measure.ts'
import { fill, leave, type ScrapeSite, startBusyService } from './site.ts'

const command = {
  command: 'bench:scrape',
  contenders: ['postgres', 'pglite'],
  numbers: {
    scrapes: { fallback: 300, least: 20, most: 100_000, about: 'scrapes of each kind' },
    stored: { fallback: 10_000, least: 1, most: 1_000_000, about: 'workflows that are stored' },
  },
} as const

type Contender = (typeof command.contenders)[number]

interface Row {
  readonly contender: Contender
  readonly stored: number
  readonly sample: ScrapeSample
}

type Choice = NonNullable<ReturnType<typeof choose>>

function choose(args: readonly string[]) {
  return parseBenchOptions(command, args)
}

async function bench({ contenders, numbers }: Choice, parts: CommandParts): Promise<void> {
  const head = `Scrapes of /metrics, ${numbers.scrapes} of each kind`
  process.stdout.write(`${head}\n${describeMachine(['prom-client', 'fastify'])}\n\n`)
  const postgres = contenders.includes('postgres') ? await startPostgres() : null
  const model = await startModelServer()
  const rows: Row[] = []
  try {
    for (const contender of contenders) {
      const of = { contender, databaseUrl: contender === 'postgres' ? await newDatabase(postgres) : null }
      rows.push(...(await measureContender({ ...of, model, numbers }, parts)))
    }
  } finally {
    await model.close()
    await postgres?.stop()
  }
  process.stdout.write(report(rows, numbers.stored))
}

async function newDatabase(postgres: PostgresServer | null): Promise<string | null> {
  return (await postgres?.createDatabase('bench_scrape')) ?? null
}

interface Task {
  readonly contender: Contender
  readonly databaseUrl: string | null
  readonly model: ModelServerDouble
  readonly numbers: Choice['numbers']
}

/** With next to nothing stored, and with much. */
async function measureContender(task: Task, { signal, progress }: CommandParts): Promise<readonly Row[]> {
  const { contender, databaseUrl, model, numbers } = task
  const home = await makeTemporaryDirectory()
  const site: ScrapeSite = { directory: home.path, databaseUrl, model }
  const rows: Row[] = []
  try {
    for (const stored of [6, numbers.stored]) {
      signal.throwIfAborted()
      if (stored === numbers.stored) {
        progress(`${contender}: storing ${stored} workflows`)
        await fill(site, stored)
      }
      progress(`${contender}: scraping`)
      const service = await startBusyService(site)
      const measured = measureScrapes(await service.listening, service.pid, numbers.scrapes)
      rows.push({ contender, stored, sample: await measured.finally(() => leave(service)) })
    }
  } finally {
    await home.remove()
  }
  return rows
}

function report(rows: readonly Row[], stored: number): string {
  const lines = rows.map(({ contender, stored: count, sample: { tookMs, cpuMs, bytes, series } }) => [
    contender,
    String(count),
    String(series),
    (bytes / 1_024).toFixed(0),
    cpuMs === null ? '' : cpuMs.toFixed(2),
    atFraction(tookMs, 0.5).toFixed(2),
    atFraction(tookMs, 0.99).toFixed(2),
  ])
  const goals = rows
    .filter((row) => row.stored === stored)
    .flatMap(({ contender, sample }) => {
      const what = `a scrape on ${contender} with ${stored} workflows stored`
      return [
        { what: `${what}, CPU`, value: sample.cpuMs, limit: 10, unit: ' ms' },
        { what: `${what}, p50`, value: atFraction(sample.tookMs, 0.5), limit: 10, unit: ' ms' },
      ]
    })
  return `${formatTable(heading, lines)}\n\n${notes}\n\n${goalLines(goals).join('\n')}\n`
}

const heading = ['database', 'stored', 'series', 'kB', 'CPU ms', 'p50 ms', 'p99 ms']

const notes = [
  'One connection, one scrape after the other, after a workflow of each type has run and every route was asked, so that',
  'the labels are those of a service in use. CPU is that of the process under test for one scrape, garbage included. The',
  'p99 says more about who else uses the processors.',
].join('\n')

await runCommand(async (parts) => {
  const choice = choose(process.argv.slice(2))
  if (choice === null) process.stdout.write(usageOf(command))
  else await bench(choice, parts)
})
