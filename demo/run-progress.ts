import type { PlannedStep } from './stream-event.ts'

const BAR_CELLS = 24

/** What is known of the run's plan, and how much of it is done. */
export interface RunProgress {
  plan(steps: readonly PlannedStep[]): void
  /** Counts a step as ended, once. */
  ended(step: string): void
  /** A step that runs again counts as open again. */
  reopened(step: string): void
  dependsOn(step: string): readonly string[]
  roleOf(step: string): string
  readonly roles: readonly string[]
  /** The steps in order, those at the same depth joined by `‖`. */
  describePlan(): string
  /** `████░░░░  2 of 6 steps` */
  bar(): string
}

/** Starts empty; `plan` gives it the DAG. */
export function createRunProgress(): RunProgress {
  const planned = new Map<string, PlannedStep>()
  const done = new Set<string>()
  return {
    plan(steps) {
      for (const step of steps) planned.set(step.id, step)
    },
    ended: (step) => void done.add(step),
    reopened: (step) => void done.delete(step),
    dependsOn: (step) => planned.get(step)?.depends_on ?? [],
    roleOf: (step) => planned.get(step)?.role ?? step,
    get roles() {
      return [...new Set([...planned.values()].map((step) => step.role))]
    },
    describePlan: () => joinStages(planned),
    bar() {
      const total = Math.max(planned.size, done.size)
      const filled = total === 0 ? 0 : Math.round((done.size / total) * BAR_CELLS)
      return `${'█'.repeat(filled)}${'░'.repeat(BAR_CELLS - filled)}  ${done.size} of ${total} steps`
    },
  }
}

function joinStages(planned: ReadonlyMap<string, PlannedStep>): string {
  const depths = new Map<string, number>()
  const depthOf = (id: string): number => {
    const known = depths.get(id)
    if (known !== undefined) return known
    const depth = 1 + Math.max(-1, ...(planned.get(id)?.depends_on ?? []).map(depthOf))
    depths.set(id, depth)
    return depth
  }
  const stages: string[][] = []
  for (const id of planned.keys()) (stages[depthOf(id)] ??= []).push(id)
  return stages.map((stage) => stage.join(' ‖ ')).join(' → ')
}
