import type { Database, Queryable } from '../../src/storage/database.ts'

/** Where a process dies: right before or right after the n-th writing statement, counted from 1. */
export interface CrashPoint {
  readonly statement: number
  readonly moment: 'before' | 'after'
}

export interface CrashingStoreParts {
  /** null: it never dies. */
  readonly point: CrashPoint | null
  /** Must end the process before it returns. */
  readonly die: () => void
  /** Told of each writing statement as it is counted, before anything becomes of it. */
  readonly onStatement: (statement: { readonly n: number; readonly name: string }) => void
}

export interface CrashingStore extends Database {
  /** Counts from now on, from 1. Before, nothing counts. */
  count(): void
}

/** What a workflow writes on its way. Heartbeats, sweeps and supervision are not among it: they come by the clock. */
const kinds: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['create', /INSERT INTO agents\.workflows\b/],
  ['change', /UPDATE agents\.workflows\b/],
  ['settle call', /UPDATE agents\.calls\b/],
  ['send job', /^\s*INSERT INTO pgboss\./],
  ['complete job', /UPDATE pgboss\.\S+\s+SET completed_on\b/],
]
const fetching = /UPDATE pgboss\.\S+ j SET\s+state = 'active'/
const eventType = /"type":"((?:step|workflow)\.\w+)"/g

function nameOf(text: string, values: readonly unknown[]): string | null {
  const kind = kinds.find(([, pattern]) => pattern.test(text))?.[0]
  if (kind === undefined) return null
  const written = values.filter((value) => typeof value === 'string').join('\n')
  const events = [...written.matchAll(eventType)].map(([, type]) => type)
  return events.length === 0 ? kind : `${kind}: ${[...new Set(events)].join(', ')}`
}

interface Counter {
  start(): void
  /** Counts one more and tells its number; 0 while nothing counts. */
  next(name: string): number
  dieAt(statement: number, moment: CrashPoint['moment']): void
}

function createCounter({ point, die, onStatement }: CrashingStoreParts): Counter {
  let counting = false
  let n = 0
  return {
    start() {
      counting = true
      n = 0
    },
    next(name) {
      if (!counting) return 0
      n += 1
      onStatement({ n, name })
      return n
    },
    dieAt(statement, moment) {
      if (point?.statement === statement && point.moment === moment) die()
    },
  }
}

function watch(inner: Queryable, counter: Counter, onWriting: () => void): Queryable {
  return {
    async query<Row>(text: string, values?: readonly unknown[]) {
      const name = nameOf(text, values ?? [])
      if (name === null) return lookForJob(await inner.query<Row>(text, values), text)
      onWriting()
      const statement = counter.next(name)
      counter.dieAt(statement, 'before')
      const result = await inner.query<Row>(text, values)
      counter.dieAt(statement, 'after')
      return result
    },
  }

  /** Whether it takes a job is known only afterwards: this one can only die after it, at either moment. */
  function lookForJob<T extends { readonly rows: readonly unknown[] }>(result: T, text: string): T {
    if (result.rows.length === 0 || !fetching.test(text)) return result
    const statement = counter.next('fetch job')
    counter.dieAt(statement, 'before')
    counter.dieAt(statement, 'after')
    return result
  }
}

/**
 * Stands between storage and its database, counts the writing statements of the workflows' own path and dies at one of
 * them. The commit of a transaction that writes counts as one more.
 */
export function createCrashingStore(database: Database, parts: CrashingStoreParts): CrashingStore {
  const counter = createCounter(parts)
  return {
    ...watch(database, counter, () => undefined),
    async transaction(work) {
      let commit = 0
      const result = await database.transaction(async (tx) => {
        let writes = false
        const made = await work(watch(tx, counter, () => (writes = true)))
        if (writes) commit = counter.next('commit')
        counter.dieAt(commit, 'before')
        return made
      })
      counter.dieAt(commit, 'after')
      return result
    },
    count: () => counter.start(),
    close: () => database.close(),
  }
}
