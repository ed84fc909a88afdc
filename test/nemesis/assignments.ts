import { pickFor } from '../chaos/fault-plan.ts'

/** A step of an assignment. */
export interface AssignedStep {
  readonly id: string
  readonly dependsOn: readonly string[]
  /** Its result waits for a person. */
  readonly approval: boolean
  /** What depends on it goes on when it has failed. */
  readonly tolerated: boolean
}

/** What a client asks for. */
export interface Assignment {
  readonly number: number
  readonly steps: readonly AssignedStep[]
  /** Body of the POST. */
  readonly body: object
}

/** How often a rejected step runs again. */
export const maxRevisions = 2
const roles = ['business_analyst', 'developer', 'qa_engineer', 'devops_engineer', 'technical_writer']

/** The n-th assignment of a seed: one to five steps, some with gates. */
export function assignmentOf(seed: number, number: number): Assignment {
  const pick = pickFor(`assignment ${seed} ${number}`)
  const steps = Array.from({ length: pick(1, 5) }, (_, index) => stepOf(index, pick))
  return { number, steps, body: bodyOf(number, steps, pick(1, 7) > 1) }
}

function stepOf(index: number, pick: (least: number, most: number) => number): AssignedStep {
  const before = Array.from({ length: index }, (_, other) => `s${other}`)
  const dependsOn = before.filter((_, other) => pick(1, 10) <= (other === index - 1 ? 7 : 3))
  const approval = pick(1, 5) === 1
  return { id: `s${index}`, dependsOn, approval, tolerated: !approval && pick(1, 8) === 1 }
}

function bodyOf(number: number, steps: readonly AssignedStep[], stream: boolean): object {
  return {
    type: 'custom',
    requirement: `Assignment number ${number}: make it good.`,
    steps: steps.map(({ id, dependsOn, approval, tolerated }, index) => ({
      id,
      role: roles[(number + index) % roles.length],
      task: `Do your part of it.`,
      depends_on: dependsOn,
      ...(approval ? { approval } : {}),
      ...(tolerated ? { on_failure: 'continue' } : {}),
    })),
    options: { stream, max_revisions: maxRevisions },
    metadata: { assignment: String(number) },
  }
}
