import { setTimeout as sleep } from 'node:timers/promises'
import type { Places } from './places.ts'
import type { ActivationJob, ActivationQueue } from './queue.ts'
import { startRunner } from './runner.ts'
import type { Runner, RunnerParts } from './runner.ts'
import { mayTake, readRunnable } from './take-workflow.ts'
import type { RunnableWorkflows } from './take-workflow.ts'

const pollMs = 500
/** A workflow just taken will want a place within this time. */
const startingMs = 1000

export interface WorkLoopParts {
  readonly runner: RunnerParts
  readonly queue: ActivationQueue
  readonly places: Places
  readonly maxConcurrentWorkflows: number
  readonly report: (error: unknown) => void
}

/** Takes work from the queue, as much as there are free places. */
export interface WorkLoop {
  run(): Promise<void>
  /** There may be new work. */
  wake(): void
  /** There is a free place: worth a look only if the last one may have left something behind. */
  freed(): void
  runners(): readonly Runner[]
  find(workflowId: string): Runner | undefined
}

/** Creates the loop; `run` ends when `draining` is aborted. */
export function createWorkLoop({
  runner: parts,
  queue,
  places,
  maxConcurrentWorkflows,
  report,
}: WorkLoopParts): WorkLoop {
  const runners = new Map<string, Runner>()
  let woken = Promise.withResolvers<void>()
  let leftBehind = true
  const wake = () => woken.resolve()
  const freed = () => void (leftBehind && wake())

  const take = async (job: ActivationJob, known: RunnableWorkflows): Promise<void> => {
    const held = runners.get(job.workflowId)
    // The left-over of an earlier activation must not wait for the end of this one.
    if (held !== undefined && held.job().activation > job.activation) return queue.completeFenced(job)
    if (held?.job().activation === job.activation && (await held.adopt(job))) return
    held?.poke()
    await held?.finished
    // What was read while it was still held here is of no use.
    const runnable = held === undefined ? known : await readRunnable(parts, [job.workflowId])
    const found = runnable.get(job.workflowId)
    // Otherwise it is not ours to run, and the job is a left-over.
    if (found === undefined || !mayTake(found.state, job)) return queue.completeFenced(job)
    const runner = startRunner(parts, { ...found, job })
    runners.set(job.workflowId, runner)
    void forgetWhenFinished(runner)
    if (!(await runner.taken)) await queue.completeFenced(job)
  }
  const forgetWhenFinished = async (runner: Runner) => {
    await runner.finished
    if (runners.get(runner.workflowId) === runner) runners.delete(runner.workflowId)
    freed()
  }

  const strangers = (jobs: readonly ActivationJob[]) =>
    jobs.flatMap(({ workflowId }) => (runners.has(workflowId) ? [] : [workflowId]))

  /** True when there may be more right now. */
  const takeOnce = async (): Promise<boolean> => {
    const starting = [...runners.values()].filter(isStarting).length
    const limit = Math.min(places.free() - starting, maxConcurrentWorkflows - runners.size)
    leftBehind = true
    if (limit <= 0) return false
    const jobs = await queue.fetch(limit)
    leftBehind = jobs.length === limit
    const known = await readRunnable(parts, strangers(jobs))
    await Promise.all(jobs.map((job) => take(job, known).catch(report)))
    return leftBehind
  }

  return {
    async run() {
      while (!parts.draining.aborted) {
        woken = Promise.withResolvers()
        const more = await takeOnce().catch(report)
        if (more !== true) await Promise.race([woken.promise, pause(pollMs, parts.draining)])
      }
    },
    wake,
    freed,
    runners: () => [...runners.values()],
    find: (workflowId) => runners.get(workflowId),
  }
}

function isStarting(runner: Runner): boolean {
  return runner.ageMs() < startingMs && !runner.hasBegun()
}

/** Resolves after the time, or at once when the signal fires; never rejects. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined)
}
