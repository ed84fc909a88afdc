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
  if (first === '' && last === '') return null
  if (first === '') {
    const length = Number(last)
    return length === 0 || size === 0 ? 'unsatisfiable' : { start: Math.max(0, size - length), end: size - 1 }
  }
  const start = Number(first)
  if (last !== '' && Number(last) < start) return null
  if (start >= size) return 'unsatisfiable'
  return { start, end: last === '' ? size - 1 : Math.min(Number(last), size - 1) }
}
