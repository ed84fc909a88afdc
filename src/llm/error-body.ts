import { fieldsOf, isFields, type JsonFields, parseJson, textOf } from './json-fields.ts'

/** What a server said was wrong, out of any of the shapes that servers use. */
export interface ServerError {
  /** `code`, `type`, `n_ctx` and the like. */
  readonly fields: JsonFields
  readonly message: string
  /** An HTTP status named inside the body. */
  readonly status: number | null
}

/**
 * Reads OpenAI's and llama.cpp's `{error: {message, type, code}}`, vLLM's flat `{object: 'error', message, …}`,
 * Ollama's `{error: 'text'}`, FastAPI's `{detail}`, or plain text.
 */
export function readServerError(body: unknown): ServerError {
  const outer = isFields(body) ? body : {}
  const inner = isFields(outer['error']) ? outer['error'] : outer
  const message =
    textOf(inner['message']) ?? textOf(inner['error']) ?? textOf(inner['detail']) ?? textOf(body) ?? described(body)
  return { fields: inner, message, status: statusIn(inner) ?? statusIn(outer) }
}

/** The same, from the text of a body. */
export function readErrorText(text: string): ServerError {
  return readServerError(parseJson(text) ?? text)
}

function described(body: unknown): string {
  return body === null || body === undefined || Object.keys(fieldsOf(body)).length === 0 ? '' : JSON.stringify(body)
}

function statusIn(fields: JsonFields): number | null {
  const named = [fields['status'], fields['code'], fields['status_code']].map(Number)
  return named.find((status) => Number.isInteger(status) && status >= 400 && status <= 599) ?? null
}
