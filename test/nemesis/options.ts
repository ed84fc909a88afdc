import { parseArgs } from 'node:util'

/** How the nemesis is let loose. */
export interface NemesisOptions {
  /** Decides what is asked, what the model says, which of its calls go wrong, and what strikes when. */
  readonly seed: number
  /** For how long new workflows are started and things are broken. */
  readonly stormMs: number
}

const defaultMinutes = 3
const mostMinutes = 120

/** Reads the command line: `--seed N` (else one at random), `--minutes M`. Throws what is wrong with it. */
export function parseNemesisOptions(args: readonly string[]): NemesisOptions {
  const { values } = parseArgs({
    args: [...args],
    options: { seed: { type: 'string' }, minutes: { type: 'string' } },
  })
  return { seed: seedOf(values.seed), stormMs: minutesOf(values.minutes) * 60_000 }
}

function seedOf(text: string | undefined): number {
  if (text === undefined) return 1 + Math.floor(Math.random() * 999_999)
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`--seed must be a whole number from 1, not "${text}".`)
  return Number(text)
}

function minutesOf(text: string | undefined): number {
  const minutes = Number(text ?? defaultMinutes)
  if (!(minutes > 0 && minutes <= mostMinutes)) {
    throw new Error(`--minutes must be more than 0 and at most ${mostMinutes}, not "${text}".`)
  }
  return minutes
}
