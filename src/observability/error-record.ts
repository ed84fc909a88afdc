import type { Scrub } from './scrub.ts'

/** What the log and reports tell of an exception: these properties and no others. */
export interface ErrorRecord {
  readonly type: string
  readonly message: string
  readonly code?: string | number
  readonly status?: number
  readonly stack?: string
  readonly cause?: ErrorRecord
}

const longestMessage = 2_000
const longestStack = 8_000
const deepestCause = 3

/** Describes anything that was thrown, scrubbed and cut to a bounded length. */
export function describeError(
  error: unknown,
  options: { readonly scrub: Scrub; readonly withStack: boolean },
  depth = 0,
): ErrorRecord {
  const { scrub } = options
  if (!(error instanceof Error)) return { type: typeof error, message: cut(scrub(textOf(error)), longestMessage) }
  const code = codeOf(error)
  const status = statusOf(error)
  const stack = options.withStack ? error.stack : undefined
  return {
    type: error.name,
    message: cut(scrub(error.message), longestMessage),
    ...(code === undefined ? {} : { code }),
    ...(status === undefined ? {} : { status }),
    ...(stack === undefined ? {} : { stack: cut(scrub(stack), longestStack) }),
    ...(error.cause === undefined || depth >= deepestCause
      ? {}
      : { cause: describeError(error.cause, options, depth + 1) }),
  }
}

/** True for what nobody planned: such an error is shown with its stack. */
export function isDefect(error: unknown): boolean {
  return !(error instanceof Error) || error.name !== 'AppError' || codeOf(error) === 'internal'
}

function textOf(value: unknown): string {
  if (typeof value === 'object' && value !== null) return 'an object that is no Error was thrown'
  return String(value)
}

function codeOf(error: object): string | number | undefined {
  const code: unknown = Reflect.get(error, 'code')
  return typeof code === 'string' || typeof code === 'number' ? code : undefined
}

function statusOf(error: object): number | undefined {
  const details: unknown = Reflect.get(error, 'details')
  const holder = typeof details === 'object' && details !== null ? details : error
  const status: unknown = Reflect.get(holder, 'status') ?? Reflect.get(error, 'statusCode')
  return typeof status === 'number' ? status : undefined
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text
}
