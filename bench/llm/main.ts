import { type CommandParts, runCommand } from '../command.ts'
import type { ClientName } from './bench-client.ts'
import { type BenchOptions, parseBenchOptions, usage } from './options.ts'
import { installPeers } from '../install-peers.ts'
import { writeHead, writeReport } from './report.ts'
import { runRounds } from './run-rounds.ts'

async function run(wanted: BenchOptions, parts: CommandParts): Promise<string> {
  const missing = wanted.clients.includes('ai') ? await installPeers(parts) : null
  const clients = missing === null ? wanted.clients : wanted.clients.filter((client) => client !== 'ai')
  const { measurements, failures } = await runRounds({ ...wanted, clients }, parts)
  const absent: readonly (readonly [ClientName, string])[] = missing === null ? [] : [['ai', missing]]
  return writeReport(wanted, { measurements, failures: new Map([...failures, ...absent]) })
}

await runCommand(async (parts) => {
  const wanted = parseBenchOptions(process.argv.slice(2))
  if (wanted.help) {
    process.stdout.write(usage)
    return
  }
  process.stdout.write(writeHead(wanted))
  process.stdout.write(await run(wanted, parts))
})
