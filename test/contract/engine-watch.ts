import type { LifecycleEvent } from '../../src/workflows/events.ts'
import type { EngineBench } from '../support/engine-fixture.ts'

/** What replicas in this process tell of their changes: to wait for something costs the database nothing. */
export interface EngineWatch {
  add(bench: EngineBench): void
  /** Resolves when such an event is known, at the latest after `patienceMs`; false: it is not. */
  until(id: string, isWanted: (event: LifecycleEvent) => boolean, patienceMs?: number): Promise<boolean>
}

interface Waiter {
  readonly id: string
  readonly isWanted: (event: LifecycleEvent) => boolean
  readonly until: number
  readonly resolve: (known: boolean) => void
}

const lookEveryMs = 2
const defaultPatienceMs = 20_000

/** Names an event of a step as `type step`, of a workflow by its type. */
export function nameOf({ type, step }: LifecycleEvent): string {
  return step === null ? type : `${type} ${step}`
}

export function createEngineWatch(): EngineWatch {
  const read = new Map<EngineBench, number>()
  const known = new Map<string, LifecycleEvent[]>()
  const waiting = new Set<Waiter>()
  let timer: NodeJS.Timeout | null = null

  const readOn = () => {
    for (const [bench, from] of read) {
      for (const { workflow, event } of bench.observed.slice(from)) {
        const events = known.get(workflow.id) ?? []
        events.push(event)
        known.set(workflow.id, events)
      }
      read.set(bench, bench.observed.length)
    }
  }
  const settle = (waiter: Waiter, isKnown: boolean) => {
    waiting.delete(waiter)
    waiter.resolve(isKnown)
  }
  const look = () => {
    readOn()
    for (const waiter of waiting) {
      if (known.get(waiter.id)?.some(waiter.isWanted) === true) settle(waiter, true)
      else if (Date.now() >= waiter.until) settle(waiter, false)
    }
    if (waiting.size > 0 || timer === null) return
    clearInterval(timer)
    timer = null
  }

  return {
    add: (bench) => void read.set(bench, 0),
    until: (id, isWanted, patienceMs = defaultPatienceMs) =>
      new Promise((resolve) => {
        waiting.add({ id, isWanted, until: Date.now() + patienceMs, resolve })
        timer ??= setInterval(look, lookEveryMs)
        look()
      }),
  }
}
