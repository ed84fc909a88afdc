import { AppError } from '../errors.ts'
import { faultsOfJson } from './well-formed.ts'
import type { HttpApp } from './http-app.ts'

function lineAndColumn(text: string, position: number): string {
  const before = text.slice(0, position).split('\n')
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`
}

function whereItBreaks(text: string, error: unknown): string {
  const position = error instanceof SyntaxError ? /position (\d+)/.exec(error.message)?.[1] : undefined
  if (position !== undefined) return `at ${lineAndColumn(text, Number(position))}`
  return error instanceof SyntaxError && error.message.includes('end of JSON')
    ? `it ends too early, at ${lineAndColumn(text, text.length)}`
    : 'near its beginning'
}

function decode(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch {
    throw new AppError('invalid-request', 'The body is not valid UTF-8.', {
      faults: [{ pointer: '', detail: 'is not valid UTF-8' }],
    })
  }
}

/** Parses a body; an empty one is undefined. Throws `invalid-request` that says where it is at fault. */
function parseJsonBody(body: Buffer): unknown {
  const text = decode(body)
  if (text.trim() === '') return undefined
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    const where = whereItBreaks(text, error)
    throw new AppError('invalid-request', `The body is not valid JSON: ${where}.`, {
      faults: [{ pointer: '', detail: `is not valid JSON: ${where}` }],
    })
  }
  const faults = faultsOfJson(parsed)
  if (faults.length > 0) throw new AppError('invalid-request', 'The body holds what is not allowed.', { faults })
  return parsed
}

/** JSON is the only content type that a body may have. */
export function acceptJsonOnly(app: HttpApp): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body: Buffer, done) => {
    try {
      done(null, parseJsonBody(body))
    } catch (error) {
      done(error as Error)
    }
  })
}
