import { parseArgs } from 'node:util'

/** A number that a benchmark takes on its command line. */
export interface NumberOption {
  readonly fallback: number
  readonly least: number
  readonly most: number
  /** For the help. */
  readonly about: string
}

/** What a benchmark's command line may say. */
export interface BenchCommand<Name extends string, Contender extends string> {
  /** As in `npm run`. */
  readonly command: string
  readonly numbers: Readonly<Record<Name, NumberOption>>
  readonly contenders: readonly Contender[]
  /** Those that are measured when nobody says otherwise; all, if it is absent. */
  readonly usually?: readonly Contender[]
}

/** What it says. */
export interface BenchChoice<Name extends string, Contender extends string> {
  readonly numbers: Readonly<Record<Name, number>>
  readonly contenders: readonly Contender[]
  /** Where processes under test leave CPU profiles; null: nowhere. */
  readonly profileDirectory: string | null
}

/** Reads a command line; null: it asks for the help, which is `usageOf`. Throws an `Error` whose message is for the user. */
export function parseBenchOptions<Name extends string, Contender extends string>(
  command: BenchCommand<Name, Contender>,
  args: readonly string[],
): BenchChoice<Name, Contender> | null {
  const names = Object.keys(command.numbers) as Name[]
  const texts = [...names, 'only', 'profile'].map((name) => [name, { type: 'string' as const }] as const)
  const options = { ...Object.fromEntries(texts), help: { type: 'boolean' as const } }
  const values: Readonly<Record<string, unknown>> = parseArgs({ args: [...args], options }).values
  if (values['help'] === true) return null
  const textOf = (name: string) => values[name] as string | undefined
  const numbers = names.map((name) => [name, parseNumber(name, textOf(name), command.numbers[name])] as const)
  return {
    numbers: Object.fromEntries(numbers) as Record<Name, number>,
    contenders: parseContenders(command, textOf('only')),
    profileDirectory: textOf('profile') ?? null,
  }
}

function parseNumber(name: string, text: string | undefined, { fallback, least, most }: NumberOption): number {
  const number = text === undefined ? fallback : Number(/^\d{1,7}$/.test(text) ? text : Number.NaN)
  if (number >= least && number <= most) return number
  throw new Error(`--${name} must be a whole number from ${least} to ${most}, not "${text}".`)
}

function parseContenders<Contender extends string>(
  { contenders: known, usually = known }: Pick<BenchCommand<never, Contender>, 'contenders' | 'usually'>,
  text: string | undefined,
): readonly Contender[] {
  if (text === undefined) return usually
  const wanted = new Set(text.split(',').map((name) => name.trim()))
  const unknown = [...wanted].find((name) => !known.some((one) => one === name))
  if (unknown !== undefined) throw new Error(`--only knows ${known.join(', ')}, not "${unknown}".`)
  return known.filter((name) => wanted.has(name))
}

/** How the command is called. */
export function usageOf<Name extends string, Contender extends string>({
  command,
  numbers,
  contenders,
  usually,
}: BenchCommand<Name, Contender>): string {
  const lines = (Object.entries(numbers) as [string, NumberOption][]).map(([name, { about, fallback }]) => {
    return `  ${`--${name} N`.padEnd(22)} ${about} (default: ${fallback})`
  })
  return [
    `Usage: npm run ${command} -- [options]`,
    '',
    ...lines,
    `  ${'--only A,B,...'.padEnd(22)} of ${contenders.join(', ')}${usually === undefined ? '' : ` (default: ${usually.join(',')})`}`,
    `  ${'--profile DIR'.padEnd(22)} leave a CPU profile of every process under test in DIR`,
    `  ${'--help'.padEnd(22)} this text`,
    '',
  ].join('\n')
}
