import { parseChaosOptions, parseOutageOptions } from './options.ts'
import { writeReport } from './report.ts'
import { runChaos } from './run-chaos.ts'
import { showOutages } from './show-outages.ts'
import { judge } from './verdict.ts'

/** Of a run with faults: leaves time to report within ten minutes. Outages have limits of their own. */
const mostMs = 9.5 * 60 * 1000

const write = (text: string): void => void process.stdout.write(text)

async function main(): Promise<boolean> {
  const args = process.argv.slice(2)
  const outage = parseOutageOptions(args)
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  if (outage !== null) return showOutages(outage, { write, stop: stop.signal })
  const timer = setTimeout(() => stop.abort(), mostMs)
  try {
    return await showFaults(args, stop.signal)
  } finally {
    clearTimeout(timer)
  }
}

async function showFaults(args: readonly string[], stop: AbortSignal): Promise<boolean> {
  const options = parseChaosOptions(args)
  write(`${options.workflows} workflows against a faulty model, seed ${options.seed}\n\n`)
  const run = await runChaos(options, stop)
  const checks = judge(run.evidence)
  write(writeReport(run, checks))
  return run.exitCode === 0 && checks.every(({ faults }) => faults.length === 0)
}

try {
  process.exitCode = (await main()) ? 0 : 1
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
