/** One thing that a benchmark is to show. `value` null: it was not measured. */
export interface Goal {
  readonly what: string
  readonly value: number | null
  readonly limit: number
  readonly unit: string
}

/** One line for each, met or not; nothing of what was not measured. */
export function goalLines(goals: readonly Goal[]): readonly string[] {
  return goals.flatMap(({ what, value, limit, unit }) => {
    if (value === null) return []
    const verdict = value <= limit ? 'met' : 'NOT met'
    return [`Goal: ${what}: at most ${limit}${unit}; seen ${shortly(value)}${unit}: ${verdict}`]
  })
}

function shortly(value: number): string {
  return value.toFixed(value < 100 ? 2 : 0)
}
