import { begin, decide } from '../../src/workflows/transitions.ts'
import { toChange } from '../../src/workflows/planned-change.ts'
import type { Happening } from '../../src/workflows/transitions.ts'
import type { Storage } from '../../src/storage/create-storage.ts'
import type { ActivationJob } from '../../src/workflows/queue.ts'
import type { Guard } from '../../src/workflows/store.ts'
import type { Claim, WorkflowState } from '../../src/workflows/workflow.ts'
import { state, step } from '../contract/fixtures.ts'

/** A workflow that somebody runs. */
export interface Served {
  readonly id: string
  readonly owner: string
  readonly priority: number
}

/** The real queue, with places that are given away one by one and runners that do nothing. */
export interface World {
  submit(owner: string, priority?: number): Promise<string>
  /** So many, a few at a time, as a client does that has much to do. */
  submitMany(owner: string, count: number, priority?: number): Promise<void>
  /** Gives a free place away; null: nobody wants it. */
  serve(): Promise<Served | null>
  /** Gives away so many places, and ends each at once; whose they were. */
  serveAndEnd(count: number): Promise<readonly string[]>
  end(served: Served): Promise<void>
  /** Ends all that is run, and takes all that waits. */
  clear(): Promise<void>
}

const atOnce = 8

/** A world on `storage`, whose queue is empty. */
export function createWorld({ store, queue }: Storage): World {
  const running = new Map<string, { readonly served: Served; readonly claim: Claim }>()

  const submit = async (owner: string, priority = 0): Promise<string> => {
    const planned = state({
      owner,
      priority,
      seq: 0,
      createdAt: Date.now(),
      updatedAt: Date.now(),
      steps: [step(0, { status: 'pending' })],
    })
    const { state: queued, events } = begin(planned, { now: Date.now() })
    const input = { requirement: 'Build it.', context: {}, files: [], metadata: {}, options: {}, webhook: null }
    await store.create({ state: queued, input, events, webhook: null }, null)
    return queued.id
  }
  const make = async (before: WorkflowState, happening: Happening, guard: Guard) => {
    const decision = decide(before, happening, { now: Date.now() })
    if (decision === null) throw new Error(`${before.id} does not allow ${happening.type}`)
    const stored = await store.commit(toChange(decision, {}, { seen: before.seq, guard }))
    if (!stored) throw new Error(`${before.id} was changed by somebody else`)
  }
  const load = async (id: string) => {
    const found = await store.load(id)
    if (found === null) throw new Error(`${id} is not there`)
    return found
  }
  const claim = async ({ workflowId, activation, retry }: ActivationJob): Promise<Served> => {
    const found = await load(workflowId)
    const given = { activation, retry }
    await make(found, { type: 'taken', claim: given, maxWorkerLosses: 25 }, { kind: 'take', claim: given })
    const served = { id: workflowId, owner: found.owner, priority: found.priority }
    running.set(workflowId, { served, claim: given })
    return served
  }
  const serve = async () => {
    const [job] = await queue.fetch(1)
    return job === undefined ? null : claim(job)
  }
  const end = async ({ id }: Served) => {
    const held = running.get(id)
    if (held === undefined) throw new Error(`${id} is not run here`)
    running.delete(id)
    const failure = { code: 'llm_error', message: 'It is over.', retryable: true } as const
    await make(await load(id), { type: 'step_failed', step: 0, failure }, { kind: 'runner', claim: held.claim })
  }

  return {
    submit,
    async submitMany(owner, count, priority) {
      for (let left = count; left > 0; left -= atOnce)
        await Promise.all(Array.from({ length: Math.min(left, atOnce) }, () => submit(owner, priority)))
    },
    serve,
    async serveAndEnd(count) {
      const owners: string[] = []
      while (owners.length < count) {
        const served = await serve()
        if (served === null) return owners
        await end(served)
        owners.push(served.owner)
      }
      return owners
    },
    end,
    async clear() {
      for (const { served } of running.values()) await end(served)
      for (let jobs = await queue.fetch(20); jobs.length > 0; jobs = await queue.fetch(20))
        for (const job of jobs) await end(await claim(job))
    },
  }
}
