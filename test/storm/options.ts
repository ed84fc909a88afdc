import { parseArgs } from 'node:util'
import type { StormOptions } from './run-storm.ts'

const bounds = {
  clients: { byDefault: 2000, most: 5000 },
  workflows: { byDefault: 20, most: 100 },
  'come-back-ms': { byDefault: 2000, most: 10_000 },
}

function wholeNumber(name: keyof typeof bounds, text: string | undefined): number {
  const { byDefault, most } = bounds[name]
  const number = Number(text ?? byDefault)
  if (Number.isInteger(number) && number >= 1 && number <= most) return number
  throw new Error(`--${name} must be a whole number from 1 to ${most}, not "${text}".`)
}

/** Reads `--clients`, `--workflows` and `--come-back-ms`. Throws what is wrong with them. */
export function parseStormOptions(args: readonly string[]): StormOptions {
  const { values } = parseArgs({
    args: [...args],
    options: { clients: { type: 'string' }, workflows: { type: 'string' }, 'come-back-ms': { type: 'string' } },
  })
  return {
    clients: wholeNumber('clients', values.clients),
    workflows: wholeNumber('workflows', values.workflows),
    comeBackMs: wholeNumber('come-back-ms', values['come-back-ms']),
  }
}
