import { startChild } from '../child.ts'
import { type CommandParts, runCommand } from '../command.ts'
import { installPeers } from '../install-peers.ts'
import { describeMachine } from '../machine.ts'
import { parseBenchOptions, usageOf } from '../options.ts'
import { type PostgresServer, startPostgres } from '../postgres-server.ts'
import { contenderNames, isPeer } from './contender.ts'
import { writeReport } from './report.ts'
import { runRounds } from './run-rounds.ts'
import { wholeBlocks } from './stamped-model.ts'

const command = {
  command: 'bench:relay',
  contenders: contenderNames,
  numbers: {
    streams: { fallback: 100, least: 1, most: 1_000, about: 'streams at the same time' },
    rate: { fallback: 50, least: 1, most: 500, about: 'tokens per second of each stream' },
    seconds: { fallback: 3, least: 1, most: 60, about: 'window at that pace' },
    'flat-tokens': { fallback: 1_000, least: 50, most: 20_000, about: 'tokens of an answer as fast as possible' },
    probes: { fallback: 40, least: 5, most: 500, about: 'single requests' },
    rounds: { fallback: 3, least: 1, most: 20, about: 'rounds; everyone is measured once in each' },
  },
} as const

const warmUpMs = 3_000
const startMs = 20_000
const modelModule = new URL('./model-process.ts', import.meta.url)

type Choice = NonNullable<ReturnType<typeof choose>>

function choose(args: readonly string[]) {
  return parseBenchOptions(command, args)
}

async function bench(choice: Choice, parts: CommandParts): Promise<void> {
  const { streams, rate } = choice.numbers
  const missing = choice.contenders.some(isPeer) ? await installPeers(parts) : null
  const contenders = missing === null ? choice.contenders : choice.contenders.filter((name) => !isPeer(name))
  const postgres = contenders.includes('ours') ? await startPostgres() : null
  process.stdout.write(headOf(choice, postgres))
  const pace = { rate, streams, flatTokens: wholeBlocks(choice.numbers['flat-tokens']) }
  const model = startChild(modelModule, pace, { limitMs: startMs, signal: parts.signal })
  try {
    const { url } = (await model.told) as { readonly url: string }
    const arena = { postgres, streams, modelUrl: url, signal: parts.signal, profileDirectory: choice.profileDirectory }
    const plan = {
      streams,
      warmUpMs,
      flatTokens: pace.flatTokens,
      probes: choice.numbers.probes,
      windowMs: choice.numbers.seconds * 1_000,
    }
    const { rounds } = choice.numbers
    const seen = await runRounds({ contenders, rounds, plan, progress: parts.progress }, arena)
    const absent = choice.contenders
      .filter((name) => !contenders.includes(name))
      .map((name) => [name, missing ?? ''] as const)
    process.stdout.write(writeReport({ ...seen, failures: new Map([...seen.failures, ...absent]) }, streams * rate))
  } finally {
    await model.end()
    await postgres?.stop()
  }
}

function headOf({ numbers }: Choice, postgres: PostgresServer | null): string {
  const { streams, rate, seconds, rounds } = numbers
  const packages = ['undici', 'fastify', '@electric-sql/pglite', '@portkey-ai/gateway', 'ai']
  return [
    `From the model server to the reader: ${streams} streams of ${rate} tokens/s, ${rounds} rounds of ${seconds} s;`,
    `${streams} streams of ${numbers['flat-tokens']} tokens as fast as possible; ${numbers.probes} single requests`,
    `${describeMachine(packages)}${postgres === null ? '' : `; Postgres ${postgres.version}`}`,
    '\n',
  ].join('\n')
}

await runCommand(async (parts) => {
  const choice = choose(process.argv.slice(2))
  if (choice === null) process.stdout.write(usageOf(command))
  else await bench(choice, parts)
})
