import { type CommandParts, runCommand } from '../command.ts'
import { installPeers } from '../install-peers.ts'
import { isPeer } from './contender.ts'
import { measureGrowth } from './growth.ts'
import { type BenchOptions, parseBenchOptions, usage } from './options.ts'
import { startPostgres } from '../postgres-server.ts'
import { startRedis } from './redis-server.ts'
import { writeHead, writeReport } from './report.ts'
import { type Arena, runContender } from './run-contender.ts'
import { type Rounds, runRounds, windowsOf } from './run-rounds.ts'
import { statementCosts } from './statement-costs.ts'

async function run(wanted: BenchOptions, parts: CommandParts): Promise<void> {
  const missing = wanted.contenders.some(isPeer) ? await installPeers(parts) : null
  const contenders = missing === null ? wanted.contenders : wanted.contenders.filter((name) => !isPeer(name))
  const left = wanted.contenders.filter((name) => !contenders.includes(name))
  const absent = left.map((name) => [name, missing ?? ''] as const)
  const postgres = await startPostgres()
  try {
    const redis = contenders.includes('bullmq') ? await startRedis() : 'not asked for'
    const arena: Arena = { ...parts, postgres, redis, profileDirectory: wanted.profileDirectory }
    try {
      process.stdout.write(writeHead(wanted, arena))
      const rounds = await runRounds({ ...wanted, contenders }, arena)
      const all: Rounds = { ...rounds, failures: new Map([...rounds.failures, ...absent]) }
      const growth = wanted.growth && contenders.includes('ours') ? await measureGrowth(wanted, arena) : []
      process.stdout.write(writeReport(wanted, all, growth))
      if (wanted.statements) await writeStatements(wanted, arena)
    } finally {
      if (typeof redis !== 'string') await redis.stop()
    }
  } finally {
    await postgres.stop()
  }
}

async function writeStatements(wanted: BenchOptions, arena: Arena): Promise<void> {
  for (const window of windowsOf(wanted)) {
    const title = `Statements of this service, ${window.inFlight} in flight`
    arena.progress(title)
    const examine = async (databaseUrl: string) => {
      process.stdout.write(`\n${title}\n${await statementCosts(databaseUrl)}\n`)
    }
    const { outputBytes } = wanted
    await runContender(arena, { contender: 'ours', outputBytes, chain: null, windows: [window], examine })
  }
}

await runCommand(async (parts) => {
  const wanted = parseBenchOptions(process.argv.slice(2))
  if (wanted.help) process.stdout.write(usage)
  else await run(wanted, parts)
})
