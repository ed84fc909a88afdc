import { parseArgs } from 'node:util'

/** The templates that the demo has a story for. */
export const DEMO_TYPES = ['feature_development', 'bug_fix', 'infrastructure', 'documentation', 'analysis'] as const

/** One of the built-in templates. */
export type DemoType = (typeof DEMO_TYPES)[number]

/** What the command line asks for. */
export interface DemoOptions {
  readonly type: DemoType
  /** Speed of the scripted model: 1 is a human pace, 2 twice as fast, 0 without any waiting. */
  readonly pace: number
  /** A real OpenAI-compatible server instead of the scripted one; without a model its first one is used. */
  readonly llm: { readonly url: string; readonly model: string | null } | null
  /** In place of the story's own requirement. */
  readonly requirement: string | null
  /** Leave the temporary directory (database, log) behind. */
  readonly keep: boolean
  readonly help: boolean
}

/** How the command is called. */
export const USAGE = `Usage: npm run demo -- [options]

  --type TYPE          ${DEMO_TYPES.join(', ')}
                       (default: feature_development)
  --pace N             speed of the scripted model: 1 is a human pace, 2 twice as fast, 0 no waiting
  --llm URL            use this OpenAI-compatible server, for example http://127.0.0.1:8080/v1
  --model NAME         model of that server (default: the first one that it lists);
                       its key is read from OPENAI_API_KEY
  --requirement TEXT   what the team shall do, instead of the example
  --keep               keep the temporary directory with the database and the log
  --help               this text
`

/** Reads the command line. Throws an `Error` whose message is for the user. */
export function parseDemoOptions(args: readonly string[]): DemoOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      type: { type: 'string', default: 'feature_development' },
      pace: { type: 'string', default: '1' },
      llm: { type: 'string' },
      model: { type: 'string' },
      requirement: { type: 'string' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.model !== undefined && values.llm === undefined) throw new Error('--model needs --llm.')
  if (values.requirement?.trim() === '') throw new Error('--requirement must not be empty.')
  return {
    type: parseType(values.type),
    pace: parsePace(values.pace),
    llm: values.llm === undefined ? null : { url: parseServerUrl(values.llm), model: values.model ?? null },
    requirement: values.requirement ?? null,
    keep: values.keep,
    help: values.help,
  }
}

function parseType(text: string): DemoType {
  const type = DEMO_TYPES.find((known) => known === text)
  if (type === undefined) throw new Error(`--type must be one of ${DEMO_TYPES.join(', ')}, not "${text}".`)
  return type
}

function parsePace(text: string): number {
  const pace = Number(text)
  if (text.trim() === '' || !Number.isFinite(pace) || pace < 0) {
    throw new Error(`--pace must be a number from 0 upwards, not "${text}".`)
  }
  return pace
}

function parseServerUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new Error(`--llm must be an http or https URL, not "${text}".`)
  }
  return text
}
