/**
 * Every token holds one mark, and some say when they were sent: the time of a clock that all processes of a machine
 * share. So it does not matter to a reader how tokens are wrapped, and several in one event are several.
 */
export const tokenMark = '~'

/** What a probe's first token says besides: when the model server had the request. */
export const arrivalMark = '^'

const digits = 10
const wrap = 10 ** digits

/** Microseconds of the clock, without its highest digits. */
export function stampNow(): number {
  return Number((process.hrtime.bigint() / 1_000n) % BigInt(wrap))
}

/** A stamp as it stands in a token. */
export function stampText(stamp: number): string {
  return String(stamp).padStart(digits, '0')
}

/** The stamp that begins there; null when there is none. */
export function stampAt(text: string, from: number): number | null {
  const found = text.slice(from, from + digits)
  return /^\d{10}$/.test(found) ? Number(found) : null
}

/** Microseconds from one stamp to a later one. */
export function elapsed(since: number, until: number): number {
  return (until - since + wrap) % wrap
}
