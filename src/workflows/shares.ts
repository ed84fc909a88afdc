import { untilAvailable } from './committer.ts'
import type { ActivationJob, ActivationQueue, ShareStore } from './queue.ts'
import type { RunnableWorkflows } from './take-workflow.ts'
import type { WorkflowState } from './workflow.ts'

export interface SharesParts {
  readonly store: ShareStore
  readonly queue: Pick<ActivationQueue, 'putBack'>
  /** Workflows of one owner that are run at once, on all replicas together; 0: as many as there are. */
  readonly share: number
  readonly report: (error: unknown) => void
  /** Aborted when the process gives up waiting for a database that is away. */
  readonly abandoned: AbortSignal
}

/** What may be taken of the queue, as far as that depends on whose it is. */
export interface Shares {
  /** As things stand: for one look into the queue. */
  look(): Promise<Round>
}

/** One look into the queue. */
export interface Round {
  /** Owners whose share is used up. */
  readonly passedOver: readonly string[]
  /** Those of the fetched jobs that are worth asking for; the others are put back. In the same order. */
  sift(jobs: readonly ActivationJob[], known: RunnableWorkflows): Promise<readonly ActivationJob[]>
  /** Exactly, over all replicas: lets its workflow in, or puts the job back. */
  letIn(state: WorkflowState, job: ActivationJob): Promise<boolean>
}

const everythingGoes: Round = { passedOver: [], sift: async (jobs) => jobs, letIn: async () => true }

/** Asks the database only where owners have a share. */
export function createShares(parts: SharesParts): Shares {
  const { store, share } = parts
  if (share === 0) return { look: async () => everythingGoes }
  return { look: async () => createRound(parts, await store.runningOf()) }
}

function createRound(parts: SharesParts, running: ReadonlyMap<string, number>): Round {
  const { store, queue, share, report, abandoned } = parts
  // What could not be put back lapses.
  const putBack = (jobs: readonly ActivationJob[]) => queue.putBack(jobs).catch(report)
  return {
    passedOver: [...running].flatMap(([owner, count]) => (count >= share ? [owner] : [])),
    async sift(jobs, known) {
      const wanted = new Map(running)
      const isWorthAsking = (job: ActivationJob) => {
        const owner = known.get(job.workflowId)?.state.owner ?? ''
        // One that was fetched before may be among those that are counted.
        if (owner === '' || job.retry > 0) return true
        const count = wanted.get(owner) ?? 0
        wanted.set(owner, count + 1)
        return count < share
      }
      const worth = new Set(jobs.filter(isWorthAsking))
      await putBack(jobs.filter((job) => !worth.has(job)))
      return [...worth]
    },
    async letIn({ id, owner }, job) {
      if (owner === '') return true
      const isIn = await untilAvailable(() => store.takeShare(id, job.activation, share), abandoned)
      if (!isIn) await putBack([job])
      return isIn
    },
  }
}
