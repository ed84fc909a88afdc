import { type CommandParts, runCommand } from '../command.ts'
import { describeMachine } from '../machine.ts'
import { parseBenchOptions, usageOf } from '../options.ts'
import { startPostgres } from '../postgres-server.ts'
import { makeTemporaryDirectory } from '../temporary-directory.ts'
import { measureRetention } from './measure.ts'
import { reportOf } from './report.ts'

const command = {
  command: 'bench:retention',
  contenders: ['postgres', 'pglite'],
  numbers: {
    stored: { fallback: 100_000, least: 500, most: 1_000_000, about: 'ended workflows in Postgres' },
    embedded: { fallback: 20_000, least: 500, most: 1_000_000, about: 'the same in PGlite' },
    'in-flight': { fallback: 4, least: 1, most: 100, about: 'workflows that run at the same time' },
    seconds: { fallback: 10, least: 1, most: 600, about: 'of each window, with and without retention in turn' },
    bytes: { fallback: 1_024, least: 1, most: 1_000_000, about: "of each step's text" },
  },
} as const

type Choice = NonNullable<ReturnType<typeof choose>>

function choose(args: readonly string[]) {
  return parseBenchOptions(command, args)
}

async function bench(choice: Choice, parts: CommandParts): Promise<void> {
  const { numbers, contenders } = choice
  const common = {
    ...parts,
    inFlight: numbers['in-flight'],
    windowMs: numbers.seconds * 1_000,
    outputBytes: numbers.bytes,
  }
  process.stdout.write(`Retention while workflows run\n${describeMachine(['pg', '@electric-sql/pglite'])}\n`)
  for (const kind of contenders) {
    const directory = await makeTemporaryDirectory()
    const postgres = kind === 'postgres' ? await startPostgres() : null
    try {
      const databaseUrl = (await postgres?.createDatabase('bench_retention')) ?? null
      const stored = kind === 'postgres' ? numbers.stored : numbers.embedded
      const plan = { ...common, databaseUrl, directory: directory.path, stored }
      process.stdout.write(`\n${reportOf(plan, await measureRetention(plan))}`)
    } finally {
      await postgres?.stop()
      await directory.remove()
    }
  }
}

await runCommand(async (parts) => {
  const choice = choose(process.argv.slice(2))
  if (choice === null) process.stdout.write(usageOf(command))
  else await bench(choice, parts)
})
