import { parseChaosOptions } from './options.ts'
import { writeReport } from './report.ts'
import { runChaos } from './run-chaos.ts'
import { judge } from './verdict.ts'

/** Leaves time to report within ten minutes. */
const mostMs = 9.5 * 60 * 1000

async function main(): Promise<boolean> {
  const options = parseChaosOptions(process.argv.slice(2))
  process.stdout.write(`${options.workflows} workflows against a faulty model, seed ${options.seed}\n\n`)
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(), mostMs)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  try {
    const run = await runChaos(options, stop.signal)
    const checks = judge(run.evidence)
    process.stdout.write(writeReport(run, checks))
    return run.exitCode === 0 && checks.every(({ faults }) => faults.length === 0)
  } finally {
    clearTimeout(timer)
  }
}

try {
  process.exitCode = (await main()) ? 0 : 1
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
