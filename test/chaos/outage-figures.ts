import type { OutageRun } from './run-outage.ts'

/** What a run cost and how it went on. Times in milliseconds. */
export interface OutageFigures {
  /** Steps that got an answer: the calls that could not be spared. */
  readonly needed: number
  /** Calls that the service says it made: the rows of its ledger. */
  readonly rows: number
  readonly rowsPerNeeded: number
  /** From the death to the first step that the second server completed; null: none. */
  readonly deathToSecond: number | null
  /** From "works again" to the first completed step, and to the end of all; null: it did not come back before the end. */
  readonly revivalToStep: number | null
  readonly revivalToEnd: number | null
}

/** Adds a run up. */
export function addUp({ outcomes, outage, endedAt }: OutageRun): OutageFigures {
  const steps = outcomes.flatMap(({ workflow }) => workflow.steps)
  const needed = steps.filter(({ status }) => status === 'completed').length
  const rows = steps.reduce((sum, { usage }) => sum + usage.llm_calls, 0)
  const ends = steps.flatMap(({ ended_at: at, endpoint }) => (at === null ? [] : [{ at: Date.parse(at), endpoint }]))
  const firstSince = (time: number | null, isMeant: (endpoint: string | null) => boolean): number | null => {
    const times = ends.filter(({ at, endpoint }) => at > (time ?? 0) && isMeant(endpoint)).map(({ at }) => at)
    return time === null || times.length === 0 ? null : Math.min(...times) - time
  }
  const { diedAt = null, revivedAt = null } = outage ?? {}
  return {
    needed,
    rows,
    rowsPerNeeded: rows / Math.max(1, needed),
    deathToSecond: firstSince(diedAt, (endpoint) => endpoint === 'second'),
    revivalToStep: firstSince(revivedAt, () => true),
    revivalToEnd: revivedAt === null ? null : endedAt - revivedAt,
  }
}
