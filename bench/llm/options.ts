import { parseArgs } from 'node:util'
import { type ClientName, clientNames, defaultClients } from './bench-client.ts'

/** What the command line asks for. */
export interface BenchOptions {
  /** Streams that are open at the same time. */
  readonly streams: number
  /** Tokens per second of each stream. */
  readonly rate: number
  /** Length of the window at that pace. */
  readonly seconds: number
  /** Length of the window without a pace; 0 leaves it out. */
  readonly flatSeconds: number
  readonly rounds: number
  readonly clients: readonly ClientName[]
  /** Where every client under test leaves a CPU profile of its life; null: nowhere. */
  readonly profileDirectory: string | null
  readonly help: boolean
}

/** How the command is called. */
export const usage = `Usage: npm run bench:llm -- [options]

  --streams N          streams at the same time (default: 100)
  --rate N             tokens per second of each stream (default: 50)
  --seconds N          window at that pace (default: 8)
  --flat-seconds N     window as fast as possible, 0 to leave it out (default: 1)
  --rounds N           rounds; every client is measured once in each, in a fresh process (default: 3)
  --only A,B,...       of ${clientNames.join(', ')}
                       (default: ${defaultClients.join(',')})
  --profile DIR        leave a CPU profile of every client process in DIR
  --help               this text
`

const numbers = {
  streams: { fallback: 100, least: 1, most: 1_000 },
  rate: { fallback: 50, least: 1, most: 500 },
  seconds: { fallback: 8, least: 1, most: 60 },
  'flat-seconds': { fallback: 1, least: 0, most: 60 },
  rounds: { fallback: 3, least: 1, most: 20 },
} as const

type NumberName = keyof typeof numbers

/** Reads the command line. Throws an `Error` whose message is for the user. */
export function parseBenchOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      streams: { type: 'string' },
      rate: { type: 'string' },
      seconds: { type: 'string' },
      'flat-seconds': { type: 'string' },
      rounds: { type: 'string' },
      only: { type: 'string' },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  const numberOf = (name: NumberName): number => parseNumber(name, values[name])
  return {
    streams: numberOf('streams'),
    rate: numberOf('rate'),
    seconds: numberOf('seconds'),
    flatSeconds: numberOf('flat-seconds'),
    rounds: numberOf('rounds'),
    clients: values.only === undefined ? defaultClients : parseClients(values.only),
    profileDirectory: values.profile ?? null,
    help: values.help,
  }
}

function parseNumber(name: NumberName, text: string | undefined): number {
  const { fallback, least, most } = numbers[name]
  const number = text === undefined ? fallback : Number(/^\d{1,6}$/.test(text) ? text : Number.NaN)
  if (number >= least && number <= most) return number
  throw new Error(`--${name} must be a whole number from ${least} to ${most}, not "${text}".`)
}

function parseClients(text: string): readonly ClientName[] {
  const wanted = new Set(text.split(',').map((name) => name.trim()))
  const unknown = [...wanted].find((name) => !clientNames.some((known) => known === name))
  if (unknown !== undefined) throw new Error(`--only knows ${clientNames.join(', ')}, not "${unknown}".`)
  return clientNames.filter((name) => wanted.has(name))
}
