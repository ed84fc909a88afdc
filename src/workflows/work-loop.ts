import { setTimeout as sleep } from 'node:timers/promises'
import type { Places } from './places.ts'
import type { ActivationJob, ActivationQueue } from './queue.ts'
import { startRunner } from './runner.ts'
import type { Runner, RunnerParts } from './runner.ts'
import { mayTake, readRunnable } from './take-workflow.ts'
import type { RunnableWorkflow } from './store.ts'
import type { RunnableWorkflows } from './take-workflow.ts'
import { createShares } from './shares.ts'
import type { Round } from './shares.ts'

const pollMs = 500
/** A workflow just taken will want a place within this time. */
const startingMs = 1000

export interface WorkLoopOptions {
  /** Workflows that this replica holds. */
  readonly maxConcurrentWorkflows: number
  /** Workflows of one owner that are run at once, on all replicas together; 0: no limit. */
  readonly maxConcurrentWorkflowsPerOwner: number
}

export interface WorkLoopParts extends WorkLoopOptions {
  readonly runner: RunnerParts
  readonly queue: ActivationQueue
  readonly places: Places
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
export function createWorkLoop(whole: WorkLoopParts): WorkLoop {
  const { runner: parts, queue, report } = whole
  const shares = createShares({ ...parts, queue, share: whole.maxConcurrentWorkflowsPerOwner, report })
  const runners = new Map<string, Runner>()
  let woken = Promise.withResolvers<'work' | 'place'>()
  let leftBehind = true
  const wake = () => woken.resolve('work')
  const freed = () => void (leftBehind && woken.resolve('place'))

  const take = async (job: ActivationJob, known: RunnableWorkflows, round: Round): Promise<void> => {
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
    if (await round.letIn(found.state, job)) await start(job, found)
  }
  const start = async (job: ActivationJob, found: RunnableWorkflow) => {
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
  const takeOnce = async (mayLookAhead: boolean): Promise<boolean> => {
    const limit = roomFor(whole, { held: [...runners.values()], mayLookAhead })
    leftBehind = true
    if (limit <= 0) return false
    const round = await shares.look()
    const jobs = await queue.fetch(limit, round.passedOver)
    leftBehind = jobs.length === limit || round.passedOver.length > 0
    const known = await readRunnable(parts, strangers(jobs))
    const sifted = await round.sift(jobs, known)
    await Promise.all(sifted.map((job) => take(job, known, round).catch(report)))
    return jobs.length === limit
  }

  return {
    async run() {
      for (let mayLookAhead = false; !parts.draining.aborted;) {
        woken = Promise.withResolvers()
        const more = await takeOnce(mayLookAhead).catch(report)
        mayLookAhead = false
        if (more === true) continue
        // What has just come is for whoever has a place for it; a replica that has none looks a moment later.
        mayLookAhead = (await Promise.race([woken.promise, pause(pollMs, parts.draining)])) !== 'work'
      }
    },
    wake,
    freed,
    runners: () => [...runners.values()],
    find: (workflowId) => runners.get(workflowId),
  }
}

/** A workflow with more steps than there are places must not keep all others out: one of them may stand in line. */
function roomFor(
  { places, maxConcurrentWorkflows }: WorkLoopParts,
  { held, mayLookAhead }: { readonly held: readonly Runner[]; readonly mayLookAhead: boolean },
): number {
  const starting = held.filter(isStarting).length
  const ahead = mayLookAhead && starting === 0 && places.onlyMoreIsWanted() ? 1 : 0
  return Math.min(Math.max(ahead, places.free() - starting), maxConcurrentWorkflows - held.length)
}

function isStarting(runner: Runner): boolean {
  return runner.ageMs() < startingMs && !runner.hasBegun()
}

/** Resolves after the time, or at once when the signal fires; never rejects. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined)
}
