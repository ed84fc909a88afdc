/** Something that was done or seen. */
export interface HistoryEntry {
  /** Milliseconds since the run began. */
  readonly atMs: number
  /** Id of the workflow concerned; null: it concerns all. */
  readonly workflow: string | null
  readonly text: string
}

/** What happened in a run, in the order in which it was noted here. */
export interface History {
  /** Milliseconds since the run began. */
  now(): number
  note(text: string, workflow?: string | null): void
  entries(): readonly HistoryEntry[]
}

/** An empty history that begins now. */
export function createHistory(): History {
  const startedAt = performance.now()
  const entries: HistoryEntry[] = []
  const now = () => performance.now() - startedAt
  return {
    now,
    note: (text, workflow = null) => void entries.push({ atMs: now(), workflow, text }),
    entries: () => entries,
  }
}

/** The entries as lines, those that concern everybody among them. `ids`: only of these workflows. */
export function writeHistory(history: History, ids?: ReadonlySet<string>): string {
  return history
    .entries()
    .filter(({ workflow }) => ids === undefined || workflow === null || ids.has(workflow))
    .map(({ atMs, workflow, text }) => `${(atMs / 1000).toFixed(3).padStart(9)} ${workflow ?? '*'} ${text}\n`)
    .join('')
}
