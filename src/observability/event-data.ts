type Data = Readonly<Record<string, unknown>>

/** A number of an event's data; null where there is none. */
export function numberOf(data: Data, key: string): number | null {
  const value = data[key]
  return typeof value === 'number' ? value : null
}

/** A text of an event's data; null where there is none. */
export function textOf(data: Data, key: string): string | null {
  const value = data[key]
  return typeof value === 'string' ? value : null
}

/** A table within an event's data; empty where there is none. */
export function tableOf(data: Data, key: string): Data {
  const value = data[key]
  return typeof value === 'object' && value !== null ? (value as Data) : {}
}

/** Failures whose message quotes what a model answered: it is for the client, and for no log. */
export const quotingCodes: ReadonlySet<string> = new Set(['content_filtered'])

/** The code of the failure that an event tells of; null where it tells of none. */
export function failureCodeOf(data: Data): string | null {
  return textOf(tableOf(data, 'error'), 'code')
}
