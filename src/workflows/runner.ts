import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { withTraceIds } from '../trace-context.ts'
import { holdWorkflow } from './held-workflow.ts'
import type { HeldWorkflow, HeldWorkflowParts } from './held-workflow.ts'
import type { ActivationJob } from './queue.ts'
import { runStep } from './step-runner.ts'
import type { StepRunnerParts } from './run.ts'
import type { RunnableWorkflow } from './store.ts'
import type { WorkflowState } from './workflow.ts'

export interface RunnerParts extends StepRunnerParts, Omit<HeldWorkflowParts, 'onChanged'> {
  readonly maxWorkerLosses: number
  /** Milliseconds that one workflow may spend running; 0: no limit. */
  readonly workflowTimeoutMs: number
}

/** One workflow at work on this replica. */
export interface Runner {
  readonly workflowId: string
  /** The job of its activation, as last fetched. */
  job(): ActivationJob
  state(): WorkflowState
  /** As far as it is known to be stored. */
  stored(): Pick<WorkflowState, 'seq' | 'claim'>
  /** Whether it was ours to take. Rejects when that could not be stored. */
  readonly taken: Promise<boolean>
  /** Takes over the same activation's job, fetched again after it had lapsed; false: it is not ours any more. */
  adopt(job: ActivationJob): Promise<boolean>
  /** Something may have been changed by somebody else: look. */
  poke(): void
  /** Completes the job and sends the next, so that another replica (or this one, later) goes on. */
  handOver(code: 'shutdown' | 'worker_lost'): Promise<void>
  isRunningStep(): boolean
  /** Milliseconds since it was taken. */
  ageMs(): number
  /** A step has run since it was taken. */
  hasBegun(): boolean
  /** Resolves when nothing of it runs here any more. */
  readonly finished: Promise<void>
}

/** Takes the claim that a job gives, and runs the workflow until it has ended or is no longer ours. */
export function startRunner(parts: RunnerParts, found: RunnableWorkflow & { readonly job: ActivationJob }): Runner {
  const running = new Map<number, Promise<void>>()
  const { promise: finished, resolve: finish } = Promise.withResolvers<void>()
  const startedAt = performance.now()
  let { job } = found
  let begun = false

  const pump = () => {
    begun ||= isRunningStep(hold.state())
    if (!hold.over.aborted && !parts.draining.aborted) {
      for (const { index, status } of hold.state().steps) {
        if (status === 'queued' && !running.has(index)) start(index)
      }
    }
    if (hold.over.aborted && running.size === 0) finish()
  }
  const start = (index: number) => {
    const { id: workflowId, correlationId, traceparent } = hold.state()
    const ids = { workflowId, correlationId, ...(traceparent === null ? {} : { traceparent }) }
    const done = withTraceIds(ids, () => runStep(parts, hold, index)).finally(() => {
      running.delete(index)
      pump()
    })
    running.set(index, done)
  }

  const claim = { activation: job.activation, retry: job.retry }
  const hold: HeldWorkflow = holdWorkflow({ ...parts, onChanged: () => queueMicrotask(pump) }, found, claim)
  const taken = hold.take(parts.maxWorkerLosses)
  hold.over.addEventListener('abort', () => queueMicrotask(pump), { once: true })
  const failed = (error: unknown) => {
    if (!hold.over.aborted && !parts.abandoned.aborted) parts.reportDefect(error)
  }
  watchTime(parts, hold).catch(failed)
  void taken.then(pump, failed)

  return {
    workflowId: found.state.id,
    taken,
    job: () => job,
    state: () => hold.state(),
    stored: () => hold.stored(),
    async adopt(next) {
      const adopted = await hold.adopt({ activation: next.activation, retry: next.retry })
      if (adopted) job = next
      return adopted
    },
    poke: () => void hold.refresh().catch(failed),
    async handOver(code) {
      const { maxWorkerLosses } = parts
      await hold.change({ happening: { type: 'handed_over', code, jobId: randomUUID(), maxWorkerLosses } })
    },
    isRunningStep: () => isRunningStep(hold.state()),
    hasBegun: () => begun,
    ageMs: () => performance.now() - startedAt,
    finished,
  }
}

function isRunningStep({ steps }: WorkflowState): boolean {
  return steps.some((step) => step.status === 'running')
}

/** Fails what runs and waits when the workflow's time is up. */
async function watchTime(parts: RunnerParts, hold: HeldWorkflow): Promise<void> {
  const setting = parts.workflowTimeoutMs === 0 ? Infinity : parts.workflowTimeoutMs
  const { maxDurationMs = Infinity } = hold.state().options.budget ?? {}
  const limitMs = Math.min(setting, maxDurationMs)
  if (limitMs === Infinity) return
  for (;;) {
    const { runningMs, runningSince } = hold.state()
    const spentMs = runningMs + (runningSince === null ? 0 : parts.clock.now() - runningSince)
    const leftMs = limitMs - spentMs
    if (leftMs <= 0) break
    // A day at most, since a timer cannot hold more than 24.
    await sleep(Math.min(leftMs, 86_400_000), undefined, { signal: hold.over, ref: false })
  }
  const limitedBy = maxDurationMs < setting ? 'max_duration_seconds' : 'WORKFLOW_TIMEOUT'
  await hold.change({ happening: { type: 'time_up', limitedBy } })
}
