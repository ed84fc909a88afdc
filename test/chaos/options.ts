import { parseArgs } from 'node:util'

/** What the command line asks for. */
export interface ChaosOptions {
  readonly workflows: number
  /** Decides what is asked, what the model answers and which of its calls go wrong. */
  readonly seed: number
}

const defaultWorkflows = 500

/** Reads the command line: `--workflows N`, `--seed N`; without a seed, one at random. Throws what is wrong with it. */
export function parseChaosOptions(args: readonly string[]): ChaosOptions {
  const { values } = parseArgs({
    args: [...args],
    options: { workflows: { type: 'string' }, seed: { type: 'string' } },
  })
  return {
    workflows: wholeNumber('--workflows', values.workflows ?? String(defaultWorkflows)),
    seed: wholeNumber('--seed', values.seed ?? String(1 + Math.floor(Math.random() * 999_999))),
  }
}

function wholeNumber(name: string, text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`${name} must be a whole number from 1, not "${text}".`)
  return Number(text)
}
