/** A part of a file; both ends are included. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/**
 * The one part that a `Range` header asks for (RFC 9110 section 14). null: the whole file, because there is no range,
 * it is malformed, or asks for several parts. `unsatisfiable`: nothing of the file is in it.
 */
export function parseByteRange(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | null {
  const [, first = '', last = ''] = /^\s*bytes\s*=\s*(\d{0,15})-(\d{0,15})\s*$/i.exec(header ?? '') ?? []
  if (first === '') return last === '' ? null : lastBytes(Number(last), size)
  const start = Number(first)
  const end = last === '' ? Infinity : Number(last)
  if (end < start) return null
  return start >= size ? 'unsatisfiable' : { start, end: Math.min(end, size - 1) }
}

function lastBytes(length: number, size: number): ByteRange | 'unsatisfiable' {
  return length === 0 || size === 0 ? 'unsatisfiable' : { start: Math.max(0, size - length), end: size - 1 }
}
