import { parseStormOptions } from './options.ts'
import { runStorm } from './run-storm.ts'

/** All clients have to be served again within this time of the service's listening again. */
const goalMs = 10_000

const write = (line: string): void => void process.stdout.write(`${line}\n`)
const ms = (value: number): string => `${Math.round(value)} ms`

async function main(): Promise<boolean> {
  const options = parseStormOptions(process.argv.slice(2))
  write(
    `${options.clients} clients of ${options.workflows} workflows; each comes back ${options.comeBackMs} ms after a loss`,
  )
  const outcome = await runStorm(options)
  write(`ready ${ms(outcome.readyMs)} after it listened again`)
  write(`first client served after ${ms(outcome.firstServedMs)}, last after ${ms(outcome.lastServedMs)}`)
  write(`all streams ended ${ms(outcome.lastEndedMs)} after the models' last word`)
  write(`${outcome.failedTries} lost connections and refused tries; ${outcome.leftOpen} streams left open`)
  for (const fault of outcome.faults.slice(0, 20)) write(`FAULT ${fault}`)
  const isMet = outcome.lastServedMs <= goalMs
  write(`all served within ${ms(goalMs)}: ${isMet ? 'met' : 'MISSED'}; faults: ${outcome.faults.length}`)
  return isMet && outcome.faults.length === 0 && outcome.leftOpen === 0
}

process.exitCode = (await main()) ? 0 : 1
