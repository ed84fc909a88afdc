import { parseArgs } from 'node:util'
import { outageNames } from './outage-scenarios.ts'
import type { OutageName } from './outage-scenarios.ts'

/** What the command line asks for. */
export interface ChaosOptions {
  readonly workflows: number
  /** Decides what is asked, what the model answers and which of its calls go wrong. */
  readonly seed: number
}

/** What it asks for with `--outage`. */
export interface OutageOptions extends ChaosOptions {
  /** What is to be shown, in this order. */
  readonly outages: readonly OutageName[]
  /** For `MAX_CONCURRENT_AGENTS`: so many workflows run at once. */
  readonly agents: number
}

const defaultWorkflows = 500
/** As many as a replica holds by default. */
const mostInOutage = 50

/** Reads a command line with `--outage`; null when there is none. Throws what is wrong with it. */
export function parseOutageOptions(args: readonly string[]): OutageOptions | null {
  if (!args.includes('--outage')) return null
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      outage: { type: 'boolean' },
      workflows: { type: 'string' },
      seed: { type: 'string' },
      agents: { type: 'string' },
    },
  })
  const workflows = wholeNumber('--workflows', values.workflows ?? String(mostInOutage))
  if (workflows > mostInOutage) throw new Error(`--workflows must be at most ${mostInOutage} with --outage.`)
  return {
    workflows,
    seed: seedOf(values.seed),
    outages: positionals.length === 0 ? outageNames : positionals.map(outageName),
    agents: wholeNumber('--agents', values.agents ?? String(workflows)),
  }
}

/** Reads the command line: `--workflows N`, `--seed N`; without a seed, one at random. Throws what is wrong with it. */
export function parseChaosOptions(args: readonly string[]): ChaosOptions {
  const { values } = parseArgs({
    args: [...args],
    options: { workflows: { type: 'string' }, seed: { type: 'string' } },
  })
  return {
    workflows: wholeNumber('--workflows', values.workflows ?? String(defaultWorkflows)),
    seed: seedOf(values.seed),
  }
}

function seedOf(text: string | undefined): number {
  return wholeNumber('--seed', text ?? String(1 + Math.floor(Math.random() * 999_999)))
}

function outageName(text: string): OutageName {
  const known = outageNames.find((name) => name === text)
  if (known === undefined) throw new Error(`--outage takes ${outageNames.join(', ')}, not "${text}".`)
  return known
}

function wholeNumber(name: string, text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`${name} must be a whole number from 1, not "${text}".`)
  return Number(text)
}
