import { leftOutFile, leftOutPath, planExport } from './export-files.ts'
import type { OutputDirectory, Publication, PublishJob, PublishQueue } from './queue.ts'
import { viewWorkflow } from './resource-view.ts'
import type { WorkflowStore } from './store.ts'
import { pause } from './work-loop.ts'

const pollMs = 1000

export interface PublisherParts {
  readonly store: WorkflowStore
  readonly queue: PublishQueue
  readonly directory: OutputDirectory
  /** Told of a workflow that could not be written; it is tried again. */
  readonly onFailed: (workflowId: string, error: unknown) => void
}

/** Writes finished workflows to the output directory. */
export interface Publisher {
  start(): void
  /** Resolves when nothing is being written any more. */
  stop(): Promise<void>
}

/** Files are those of the artifacts; what the steps said, and what is left out, is beside them in `.workflow/`. */
export function createPublisher({ store, queue, directory, onFailed }: PublisherParts): Publisher {
  const stopping = new AbortController()
  let running: Promise<void> = Promise.resolve()

  const publish = async (job: PublishJob) => {
    try {
      const publication = await gather(store, job.workflowId)
      if (publication !== null) await directory.publish({ ...publication, isRepeated: job.retry > 0 })
      await queue.complete(job)
    } catch (error) {
      onFailed(job.workflowId, error)
      await queue.fail(job)
    }
  }
  const run = async () => {
    while (!stopping.signal.aborted) {
      // An outage is told by the probe; the job stays where it is.
      const job = await queue.fetch().catch(() => null)
      if (job === null) await pause(pollMs, stopping.signal)
      else await publish(job).catch(() => undefined)
    }
  }
  return {
    start() {
      running = run()
    },
    async stop() {
      stopping.abort()
      await running
    },
  }
}

async function gather(store: WorkflowStore, id: string): Promise<Publication | null> {
  const record = await store.record(id)
  if (record === null) return null
  const plan = planExport(await store.artifacts(id), (artifact) => artifact.createdAt)
  async function* files() {
    for (const { path } of plan.files) {
      const artifact = await store.artifact(id, path, null)
      if (artifact !== null) yield { path, content: artifact.content }
    }
    if (plan.leftOut.length > 0) yield { path: leftOutPath, content: leftOutFile(plan.leftOut) }
    if (record === null) return
    const { state, outputs } = record
    for (const [index, output] of outputs) {
      const step = state.steps[index]?.definition.id ?? String(index)
      yield { path: `.workflow/${step}.md`, content: Buffer.from(output) }
    }
    const resource = JSON.stringify(viewWorkflow(record, state.updatedAt), null, 2)
    yield { path: '.workflow/workflow.json', content: Buffer.from(`${resource}\n`) }
  }
  return { workflowId: id, files: files() }
}
