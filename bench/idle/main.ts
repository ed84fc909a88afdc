import { fileURLToPath } from 'node:url'
import { startChild } from '../child.ts'
import { type CommandParts, runCommand } from '../command.ts'
import { describeMachine } from '../machine.ts'
import { parseBenchOptions, usageOf } from '../options.ts'
import { type PostgresServer, startPostgres } from '../postgres-server.ts'
import { rotated } from '../rotated.ts'
import { oneStep } from '../relay/contender.ts'
import { startBenchService } from '../service.ts'
import { startWorkflows } from '../start-workflows.ts'
import type { IdleResult } from './client-process.ts'
import type { IdleTask } from './measure.ts'
import { type IdleContender, type IdleSample, writeReport } from './report.ts'

const command = {
  command: 'bench:idle',
  contenders: ['ours', 'ours-pglite'],
  usually: ['ours'],
  numbers: {
    streams: { fallback: 5_000, least: 100, most: 20_000, about: 'open streams' },
    workflows: { fallback: 50, least: 1, most: 1_000, about: 'running workflows to which they belong' },
    seconds: { fallback: 15, least: 5, most: 300, about: 'window, in which each has a heartbeat' },
    rounds: { fallback: 3, least: 1, most: 20, about: 'rounds, each with a fresh process' },
  },
} as const

type Choice = NonNullable<ReturnType<typeof choose>>

const startMs = 20_000
const limitMs = 240_000
const modelModule = new URL('../relay/model-process.ts', import.meta.url)
const clientModule = new URL('./client-process.ts', import.meta.url)
const main = fileURLToPath(new URL('./collecting-main.ts', import.meta.url))

function choose(args: readonly string[]) {
  return parseBenchOptions(command, args)
}

async function bench(choice: Choice, { signal, progress }: CommandParts): Promise<void> {
  const { streams, workflows, seconds, rounds } = choice.numbers
  process.stdout.write(
    `${streams} streams of ${workflows} workflows whose model says nothing, ${rounds} rounds of ${seconds} s\n` +
      `${describeMachine(['fastify', '@electric-sql/pglite'])}\n\n`,
  )
  const model = startChild(modelModule, { rate: 1, streams: 1, flatTokens: 50 }, { limitMs: startMs, signal })
  const postgres = choice.contenders.includes('ours') ? await startPostgres() : null
  const samples = new Map<IdleContender, IdleSample[]>(choice.contenders.map((name) => [name, []]))
  try {
    const { url } = (await model.told) as { readonly url: string }
    for (let round = 0; round < rounds; round += 1) {
      for (const name of rotated(choice.contenders, round)) {
        progress(`round ${round + 1} of ${rounds}: ${name}`)
        const grounds = { modelUrl: url, signal, postgres: name === 'ours' ? postgres : null }
        samples.get(name)?.push(await measureBoth(choice, grounds))
      }
    }
  } finally {
    await model.end()
    await postgres?.stop()
  }
  process.stdout.write(writeReport(samples, choice.numbers.streams))
}

interface Grounds {
  readonly modelUrl: string
  readonly signal: AbortSignal
  /** null: the embedded database. */
  readonly postgres: PostgresServer | null
}

interface Place {
  readonly modelUrl: string
  readonly databaseUrl: string | null
  readonly signal: AbortSignal
}

async function measureOne(choice: Choice, place: Place, what: IdleTask['what']): Promise<IdleResult> {
  const { streams, workflows, seconds } = choice.numbers
  const { modelUrl, databaseUrl, signal } = place
  const limits = { MAX_CONCURRENT_AGENTS: String(workflows), MAX_CONCURRENT_WORKFLOWS: String(workflows) }
  const silence = { LLM_IDLE_TIMEOUT: '900', LLM_TIMEOUT: '900', TASK_TIMEOUT: '900' }
  const service = await startBenchService({
    main,
    databaseUrl,
    profileDirectory: choice.profileDirectory,
    env: { OPENAI_API_BASE: modelUrl, MAX_SSE_CONNECTIONS: '100000', ...limits, ...silence },
  })
  try {
    const ids = await startWorkflows(service.url, oneStep('silent'), workflows)
    const paths = ids.map((id) => `/workflows/${id}/events`)
    const task: IdleTask = { what, url: service.url, pid: service.pid, paths, streams, windowMs: seconds * 1_000 }
    const client = startChild(clientModule, task, { limitMs, signal })
    try {
      return (await client.told) as IdleResult
    } finally {
      await client.end()
    }
  } finally {
    await service.stop(choice.profileDirectory !== null)
  }
}

/** On a database of its own each time, if on one. */
async function measureBoth(choice: Choice, { modelUrl, signal, postgres }: Grounds): Promise<IdleSample> {
  const results: IdleResult[] = []
  for (const what of ['cpu', 'memory'] as const) {
    const database = `bench_${Date.now()}`
    const databaseUrl = (await postgres?.createDatabase(database)) ?? null
    results.push(await measureOne(choice, { modelUrl, databaseUrl, signal }, what))
    await postgres?.dropDatabase(database)
  }
  const failure = results.find((result) => 'failure' in result)
  if (failure !== undefined) throw new Error(failure.failure)
  const cpu = results.find((result) => 'cpu' in result)
  const memory = results.find((result) => 'memory' in result)
  if (cpu === undefined || memory === undefined) throw new Error('Something was not measured.')
  return { ...cpu, ...memory }
}

await runCommand(async (parts) => {
  const choice = choose(process.argv.slice(2))
  if (choice === null) process.stdout.write(usageOf(command))
  else await bench(choice, parts)
})
