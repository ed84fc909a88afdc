/** JSON of somebody else, before anybody knows what it is. */
export type JsonFields = Readonly<Record<string, unknown>>

/** The fields of a JSON object; none of anything else. */
export function fieldsOf(value: unknown): JsonFields {
  return isFields(value) ? value : {}
}

/** A JSON object, neither array nor null. */
export function isFields(value: unknown): value is JsonFields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A string, or null. */
export function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

/** A whole number of at least 0, or null. */
export function countOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null
}

/** What `text` says as JSON; undefined when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
