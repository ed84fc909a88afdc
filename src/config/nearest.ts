import { closest } from 'fastest-levenshtein'

/** The candidate that is most like `name`, whatever the case of its letters. `candidates` must not be empty. */
export function nearest(name: string, candidates: readonly string[]): string {
  const lowered = candidates.map((candidate) => candidate.toLowerCase())
  const found = lowered.indexOf(closest(name.toLowerCase(), lowered))
  return candidates[found] ?? name
}
