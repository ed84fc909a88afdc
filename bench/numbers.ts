/** The value below which that part of the sorted values lies; 0 of none. */
export function atFraction(sorted: readonly number[], fraction: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? 0
}
