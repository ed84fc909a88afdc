import { parseArgs } from 'node:util'
import { type ContenderName, contenderNames, defaultContenders } from './contender.ts'

/** What the command line asks for. */
export interface BenchOptions {
  /** Length of each window: one at a time, and many in flight. */
  readonly seconds: number
  readonly rounds: number
  readonly inFlight: number
  readonly outputBytes: number
  readonly contenders: readonly ContenderName[]
  /** Numbers of stored workflows among which this service is measured. */
  readonly stored: readonly number[]
  /** Whether it is measured how the work grows. */
  readonly growth: boolean
  /** Print what each statement of this service costs. */
  readonly statements: boolean
  /** Where every contender leaves a CPU profile of its life; null: nowhere. */
  readonly profileDirectory: string | null
  readonly help: boolean
}

const storedByDefault = [10, 10_000]
const mostStored = 1_000_000

/** How the command is called. */
export const usage = `Usage: npm run bench:engine -- [options]

  --seconds N          length of each window (default: 3)
  --rounds N           rounds; every contender is measured once in each, in a fresh process (default: 3)
  --in-flight N        runs at the same time in the second window (default: 20)
  --output-bytes N     text of each step (default: 2048)
  --only A,B,...       of ${contenderNames.join(', ')}
                       (default: all but ours-prompts)
  --stored N,...       numbers of stored workflows to measure this service among (default: ${storedByDefault.join(',')};
                       100000 takes half a minute more)
  --no-growth          leave out how the work grows with steps, output size and stored workflows
  --statements         print what each SQL statement of this service costs
  --profile DIR        leave a CPU profile of every contender's process in DIR
  --help               this text

BullMQ needs a redis-server: on PATH, or where REDIS_SERVER says.
`

const numbers = {
  seconds: { fallback: 3, least: 1, most: 60 },
  rounds: { fallback: 3, least: 1, most: 20 },
  'in-flight': { fallback: 20, least: 2, most: 200 },
  'output-bytes': { fallback: 2_048, least: 1, most: 1_000_000 },
} as const

type NumberName = keyof typeof numbers

/** Reads the command line. Throws an `Error` whose message is for the user. */
export function parseBenchOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    allowNegative: true,
    options: {
      seconds: { type: 'string' },
      rounds: { type: 'string' },
      'in-flight': { type: 'string' },
      'output-bytes': { type: 'string' },
      only: { type: 'string' },
      stored: { type: 'string' },
      growth: { type: 'boolean', default: true },
      statements: { type: 'boolean', default: false },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  const numberOf = (name: NumberName): number => parseNumber(`--${name}`, values[name], numbers[name])
  return {
    seconds: numberOf('seconds'),
    rounds: numberOf('rounds'),
    inFlight: numberOf('in-flight'),
    outputBytes: numberOf('output-bytes'),
    contenders: values.only === undefined ? defaultContenders : parseContenders(values.only),
    stored: values.stored === undefined ? storedByDefault : parseStored(values.stored),
    growth: values.growth,
    statements: values.statements,
    profileDirectory: values.profile ?? null,
    help: values.help,
  }
}

interface Bounds {
  readonly fallback: number
  readonly least: number
  readonly most: number
}

function parseNumber(name: string, text: string | undefined, { fallback, least, most }: Bounds): number {
  const number = text === undefined ? fallback : Number(/^\d{1,7}$/.test(text) ? text : Number.NaN)
  if (number >= least && number <= most) return number
  throw new Error(`${name} must be a whole number from ${least} to ${most}, not "${text}".`)
}

function parseStored(text: string): readonly number[] {
  const bounds = { fallback: 0, least: 0, most: mostStored }
  return text.split(',').map((one) => parseNumber('--stored', one.trim(), bounds))
}

function parseContenders(text: string): readonly ContenderName[] {
  const wanted = new Set(text.split(',').map((name) => name.trim()))
  const unknown = [...wanted].find((name) => !contenderNames.some((known) => known === name))
  if (unknown !== undefined) throw new Error(`--only knows ${contenderNames.join(', ')}, not "${unknown}".`)
  return contenderNames.filter((name) => wanted.has(name))
}
