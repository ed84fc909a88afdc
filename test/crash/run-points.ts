import type { CrashPoint } from '../support/crashing-store.ts'
import { runChain } from './run-chain.ts'
import type { CaseResult, PlannedCase } from './run-chain.ts'
import type { PlannedCrash } from './replicas.ts'

/** Which points are tried: every so many statements, until a process does not get so far. */
export interface PointRange {
  /** `recovery`: of the process that goes on where one died in the middle. */
  readonly phase: PlannedCrash['phase']
  readonly from: number
  readonly every: number
  /** `both` moments at each statement, or `one`, in turn before and after it. */
  readonly moments: 'both' | 'one'
  /** At most so many points. */
  readonly limit: number
}

export interface RunPointsOptions {
  /** One after the other. */
  readonly ranges: readonly PointRange[]
  /** A database of its own for a chain of cases; null: the embedded one. */
  readonly newDatabase: () => Promise<string | null>
  /** Chains side by side. */
  readonly chains: number
  readonly onCase: (result: CaseResult) => void
  readonly stop: AbortSignal
}

/** Where the first process dies whose recovery is looked at: two steps are running then. */
const middle: PlannedCrash = { phase: 'run', statement: 14, moment: 'after' }

/** Tries the points of the ranges, each in the life of a workflow of its own. Rejects when a process cannot start. */
export async function runPoints({ ranges, newDatabase, chains, onCase, stop }: RunPointsOptions): Promise<void> {
  const plan = createPlan(ranges)
  const failing = new AbortController()
  const signal = AbortSignal.any([stop, failing.signal])
  const take = (result: CaseResult): void => {
    if (!result.reached && result.faults.length === 0) plan.end(result.point.phase)
    onCase(result)
  }
  const chain = async (): Promise<void> => {
    for (let first = plan.next(); first !== null && !signal.aborted; first = plan.next()) {
      plan.putBack(first)
      const databaseUrl = await newDatabase()
      const left = await runChain({ databaseUrl, nextCase: plan.next, onCase: take, stop: signal })
      if (left !== null) plan.putBack(left)
    }
  }
  const work = Array.from({ length: chains }, () =>
    chain().catch((error: unknown) => {
      failing.abort(error)
      throw error
    }),
  )
  const ends = await Promise.allSettled(work)
  for (const end of ends) if (end.status === 'rejected') throw end.reason
}

interface Plan {
  /** null: there is none left. */
  next(): PlannedCase | null
  putBack(planned: PlannedCase): void
  /** No later point of this phase can be reached. */
  end(phase: PlannedCrash['phase']): void
}

function createPlan(ranges: readonly PointRange[]): Plan {
  const back: PlannedCase[] = []
  const over = new Set<PlannedCrash['phase']>()
  const left = ranges.map((range) => ({ range, given: 0 }))
  return {
    next() {
      const returned = back.pop()
      if (returned !== undefined) return returned
      const current = left.find(({ range, given }) => given < range.limit && !over.has(range.phase))
      if (current === undefined) return null
      const { range, given } = current
      current.given += 1
      const point = { ...pointAt(range, given), phase: range.phase }
      return range.phase === 'run' ? [point] : [middle, point]
    },
    putBack: (planned) => void back.push(planned),
    end: (phase) => void over.add(phase),
  }
}

function pointAt({ from, every, moments }: PointRange, index: number): CrashPoint {
  const step = moments === 'both' ? Math.floor(index / 2) : index
  return { statement: from + step * every, moment: index % 2 === 0 ? 'before' : 'after' }
}
