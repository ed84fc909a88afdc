import type { InputFault } from '../errors.ts'

interface Place {
  readonly value: unknown
  readonly parent: Place | null
  readonly key: string | number
  readonly depth: number
}

const maxDepth = 100
const maxFaults = 20

/** One reference token of a JSON pointer, RFC 6901. */
export function pointerToken(key: string | number): string {
  return String(key).replaceAll('~', '~0').replaceAll('/', '~1')
}

function pointerOf(place: Place): string {
  const tokens: string[] = []
  for (let at: Place | null = place; at?.parent; at = at.parent) tokens.unshift(pointerToken(at.key))
  return tokens.map((token) => `/${token}`).join('')
}

/** Says what is wrong with a text that may hold anything; null when nothing is. */
export function faultOfText(text: string): string | null {
  if (text.includes('\0')) return 'must not hold U+0000'
  if (!text.isWellFormed()) return 'must not hold a lone surrogate'
  return null
}

function faultOfKey(key: string): string | null {
  if (key === '__proto__') return 'is a name that is not allowed'
  const fault = faultOfText(key)
  return fault === null ? null : `has a name that ${fault.replace('must not hold', 'holds')}`
}

function faultOf(place: Place): string | null {
  if (typeof place.key === 'string' && place.parent) {
    const fault = faultOfKey(place.key)
    if (fault !== null) return fault
  }
  if (typeof place.value === 'string') return faultOfText(place.value)
  // JSON.parse makes Infinity of 1e400, and JSON.stringify makes null of that.
  if (typeof place.value === 'number' && !Number.isFinite(place.value)) return 'is a number that is too large'
  return place.depth > maxDepth ? `is nested deeper than ${maxDepth} levels` : null
}

function childrenOf(place: Place): Place[] {
  const { value, depth } = place
  if (Array.isArray(value)) {
    return value.map((item: unknown, key) => ({ value: item, parent: place, key, depth: depth + 1 }))
  }
  if (value === null || typeof value !== 'object') return []
  return Object.entries(value).map(([key, item]) => ({ value: item, parent: place, key, depth: depth + 1 }))
}

/**
 * Faults of a parsed JSON text that no schema sees: U+0000, lone surrogates, `__proto__`, numbers that are no
 * finite double, a depth that would break
 * recursive code. At most twenty are named. Does not recurse itself.
 */
export function faultsOfJson(body: unknown): readonly InputFault[] {
  const faults: InputFault[] = []
  const open: Place[] = [{ value: body, parent: null, key: '', depth: 0 }]
  for (let place = open.pop(); place && faults.length < maxFaults; place = open.pop()) {
    const detail = faultOf(place)
    if (detail !== null) faults.push({ pointer: pointerOf(place).toWellFormed().replaceAll('\0', '\uFFFD'), detail })
    else for (const child of childrenOf(place)) open.push(child)
  }
  return faults
}
