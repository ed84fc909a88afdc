const second = 1000
const minute = 60 * second
const hour = 60 * minute

/** Waits after the first, second … failed try. The last try is a day after the first. */
const waitsMs = [
  5 * second,
  5 * minute,
  30 * minute,
  2 * hour,
  5 * hour,
  10 * hour,
  6 * hour + 24 * minute + 55 * second,
] as const

/** So many tries hold up what the same workflow has later: those of the first five minutes. */
export const holdTries = 3

/** Wait before the next try after `tries` failed ones; null: it is given up. */
export function waitAfterMs(tries: number): number | null {
  return waitsMs[tries - 1] ?? null
}
