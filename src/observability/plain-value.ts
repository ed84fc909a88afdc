import { describeError } from './error-record.ts'
import { redacted, type Scrub } from './scrub.ts'

const deepest = 6
const widest = 100
const secretName = /(?:^|[-_a-z])(?:authorization|cookie|password|passwd|secret|api[-_]?key|private[-_]?key)$/i

/** Copies a value into one that JSON can hold: no cycles, no functions, bounded depth and breadth, secrets taken out. */
export type PlainValue = (name: string, value: unknown) => unknown

export function createPlainValue(scrub: Scrub): PlainValue {
  const list = (values: readonly unknown[], depth: number): unknown =>
    values.slice(0, widest).map((value) => plain('', value, depth + 1) ?? null)

  const table = (value: object, depth: number): unknown => {
    const copy: Record<string, unknown> = {}
    for (const [key, member] of Object.entries(value).slice(0, widest)) copy[scrub(key)] = plain(key, member, depth + 1)
    return copy
  }

  const structure = (value: object, depth: number): unknown => {
    if (value instanceof Error) return describeError(value, { scrub, withStack: false })
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
    if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
    if (depth >= deepest) return '[…]'
    if (Array.isArray(value)) return list(value, depth)
    return table(value instanceof Map ? Object.fromEntries(value) : value, depth)
  }

  function plain(name: string, value: unknown, depth: number): unknown {
    if (value === undefined || value === null) return value
    if (secretName.test(name)) return redacted
    if (typeof value === 'object') return structure(value, depth)
    return typeof value === 'string' ? scrub(value) : scalar(value)
  }

  return (name, value) => plain(name, value, 0)
}

function scalar(value: unknown): unknown {
  if (typeof value === 'boolean') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  return typeof value === 'bigint' ? value.toString() : undefined
}
