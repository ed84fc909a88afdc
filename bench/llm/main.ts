import type { ClientName } from './bench-client.ts'
import { type BenchOptions, parseBenchOptions, usage } from './options.ts'
import { installPeers } from '../install-peers.ts'
import { writeHead, writeReport } from './report.ts'
import { runRounds } from './run-rounds.ts'

const interruptedExitCode = 130

function listenForSignals(): AbortSignal {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort())
  return stop.signal
}

interface Parts {
  readonly signal: AbortSignal
  readonly progress: (line: string) => void
}

async function run(wanted: BenchOptions, parts: Parts): Promise<string> {
  const missing = wanted.clients.includes('ai') ? await installPeers(parts) : null
  const clients = missing === null ? wanted.clients : wanted.clients.filter((client) => client !== 'ai')
  const { measurements, failures } = await runRounds({ ...wanted, clients }, parts)
  const absent: readonly (readonly [ClientName, string])[] = missing === null ? [] : [['ai', missing]]
  return writeReport(wanted, { measurements, failures: new Map([...failures, ...absent]) })
}

async function main(): Promise<number> {
  const wanted = parseBenchOptions(process.argv.slice(2))
  if (wanted.help) {
    process.stdout.write(usage)
    return 0
  }
  const signal = listenForSignals()
  const parts = { signal, progress: (line: string) => void process.stderr.write(`${line}\n`) }
  try {
    process.stdout.write(writeHead(wanted))
    process.stdout.write(await run(wanted, parts))
    return 0
  } catch (error) {
    if (!signal.aborted) throw error
    process.stderr.write('Stopped.\n')
    return interruptedExitCode
  }
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
