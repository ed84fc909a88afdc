import { startChild } from '../child.ts'
import { type CommandParts, runCommand } from '../command.ts'
import { describeMachine } from '../machine.ts'
import { parseBenchOptions, usageOf } from '../options.ts'
import { oneStep } from '../relay/contender.ts'
import { rotated } from '../rotated.ts'
import { startBenchService } from '../service.ts'
import { startWorkflows } from '../start-workflows.ts'
import type { FanoutResult } from './client-process.ts'
import type { FanoutSample, FanoutTask } from './measure.ts'
import { type FanoutContender, writeReport } from './report.ts'

const command = {
  command: 'bench:fanout',
  contenders: ['raw', 'ours'],
  numbers: {
    rate: { fallback: 50, least: 1, most: 500, about: 'tokens per second of the one stream' },
    'window-ms': { fallback: 2_500, least: 500, most: 60_000, about: 'window for each number of readers' },
    rounds: { fallback: 3, least: 1, most: 20, about: 'rounds, each with fresh processes' },
  },
} as const

type Choice = NonNullable<ReturnType<typeof choose>>

const sizes = [1, 10, 100, 500]
const startMs = 20_000
const slackMs = 60_000
const modelModule = new URL('../relay/model-process.ts', import.meta.url)
const rawModule = new URL('./raw-process.ts', import.meta.url)
const clientModule = new URL('./client-process.ts', import.meta.url)

function choose(args: readonly string[]) {
  return parseBenchOptions(command, args)
}

interface Place {
  readonly modelUrl: string
  readonly profileDirectory: string | null
  readonly signal: AbortSignal
}

/** Somebody who writes, and where it can be read. */
interface Writer {
  readonly at: Pick<FanoutTask, 'url' | 'path' | 'pid'>
  close(): Promise<void>
}

async function bench(choice: Choice, { signal, progress }: CommandParts): Promise<void> {
  const { rate, rounds } = choice.numbers
  process.stdout.write(
    `One stream of ${rate} tokens/s and its readers, ${rounds} rounds of ${choice.numbers['window-ms']} ms for each number\n` +
      `${describeMachine(['fastify', 'undici'])}\n\n`,
  )
  const model = startChild(modelModule, { rate, streams: 1, flatTokens: 50 }, { limitMs: startMs, signal })
  const samples = new Map<FanoutContender, FanoutSample[]>(choice.contenders.map((name) => [name, []]))
  try {
    const { url } = (await model.told) as { readonly url: string }
    const place = { modelUrl: url, profileDirectory: choice.profileDirectory, signal }
    for (let round = 0; round < rounds; round += 1) {
      for (const name of rotated(choice.contenders, round)) {
        progress(`round ${round + 1} of ${rounds}: ${name}`)
        samples.get(name)?.push(...(await measureOne(name, choice.numbers['window-ms'], place)))
      }
    }
  } finally {
    await model.end()
  }
  process.stdout.write(writeReport(samples, rate))
}

async function measureOne(name: FanoutContender, windowMs: number, place: Place): Promise<readonly FanoutSample[]> {
  const writer = name === 'raw' ? await openRaw(place) : await openService(place)
  try {
    const task: FanoutTask = { ...writer.at, readers: sizes, windowMs }
    const limitMs = sizes.length * windowMs + slackMs
    const client = startChild(clientModule, task, { limitMs, signal: place.signal })
    try {
      const result = (await client.told) as FanoutResult
      if ('failure' in result) throw new Error(result.failure)
      return result.samples
    } finally {
      await client.end()
    }
  } finally {
    await writer.close()
  }
}

async function openRaw({ modelUrl, signal, profileDirectory }: Place): Promise<Writer> {
  const execArgv = profileDirectory === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDirectory}`]
  const child = startChild(rawModule, { modelUrl }, { limitMs: startMs, signal, execArgv })
  const close = () => child.end()
  try {
    return { at: { ...((await child.told) as { url: string; path: string }), pid: child.pid }, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function openService({ modelUrl, profileDirectory }: Place): Promise<Writer> {
  const env = { OPENAI_API_BASE: modelUrl, LLM_TIMEOUT: '900', TASK_TIMEOUT: '900' }
  const service = await startBenchService({ databaseUrl: null, profileDirectory, env })
  const close = () => service.stop(profileDirectory !== null)
  try {
    const [id = ''] = await startWorkflows(service.url, oneStep('paced'), 1)
    return { at: { url: service.url, path: `/workflows/${id}/events`, pid: service.pid }, close }
  } catch (error) {
    await close()
    throw error
  }
}

await runCommand(async (parts) => {
  const choice = choose(process.argv.slice(2))
  if (choice === null) process.stdout.write(usageOf(command))
  else await bench(choice, parts)
})
