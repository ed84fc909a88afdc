import { closest, distance } from 'fastest-levenshtein'

/**
 * The candidate that is most like `name`, whatever the case of its letters. Undefined where none is like it: where more
 * than a third of the longer name, and more than two letters, would have to change.
 */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  const wanted = name.toLowerCase()
  const lowered = candidates.map((candidate) => candidate.toLowerCase())
  if (lowered.length === 0) return undefined
  const found = closest(wanted, lowered)
  const limit = Math.max(2, Math.floor(Math.max(wanted.length, found.length) / 3))
  return distance(wanted, found) <= limit ? candidates[lowered.indexOf(found)] : undefined
}

/** The end of a sentence about an unknown name: empty where there is nothing to suggest. */
export function didYouMean(suggestion: string | undefined): string {
  return suggestion === undefined ? '' : `; did you mean ${suggestion}?`
}
