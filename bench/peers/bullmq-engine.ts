import type { OpenContender } from '../engine/contender.ts'
import { checkOutputs, sixSteps } from '../engine/six-steps.ts'
import { importPackage } from './import-package.ts'

interface Job {
  readonly name: string
  getChildrenValues(): Promise<Readonly<Record<string, Result>>>
}

/** Texts of a step and of all before it, so that the last one's is that of the run. */
interface Result {
  readonly text: string
  readonly steps: number
}

interface Flow {
  readonly name: string
  readonly queueName: string
  readonly opts: Readonly<Record<string, unknown>>
  readonly children?: readonly Flow[]
}

interface Closable {
  close(): Promise<void>
}

interface Package {
  readonly Worker: new (
    queue: string,
    process: (job: Job) => Promise<Result>,
    options: Readonly<Record<string, unknown>>,
  ) => Closable & { waitUntilReady(): Promise<unknown> }
  readonly QueueEvents: new (
    queue: string,
    options: Readonly<Record<string, unknown>>,
  ) => Closable & {
    waitUntilReady(): Promise<unknown>
  }
  readonly FlowProducer: new (options: Readonly<Record<string, unknown>>) => Closable & {
    add(flow: Flow): Promise<{ readonly job: { waitUntilFinished(events: unknown): Promise<Result> } }>
  }
}

const queueName = 'bench'
/** Completed jobs that stay, as its documentation advises. */
const keptJobs = 1_000

/** A flow: every step a job, which runs when its children are done. A job has one parent, so the DAG becomes a tree. */
export const openBullMq: OpenContender = async ({ redisUrl, output, inFlight }) => {
  const { Worker, QueueEvents, FlowProducer } = await importPackage<Package>('bullmq')
  const connection = { url: redisUrl, maxRetriesPerRequest: null }
  const work = async (job: Job): Promise<Result> => {
    const children = Object.values(await job.getChildrenValues())
    return { text: output, steps: children.reduce((sum, child) => sum + child.steps, 1) }
  }
  const worker = new Worker(queueName, work, { connection, concurrency: 2 * inFlight })
  const events = new QueueEvents(queueName, { connection })
  const producer = new FlowProducer({ connection })
  await Promise.all([worker.waitUntilReady(), events.waitUntilReady()])
  return {
    async run() {
      const { job } = await producer.add(sixJobs())
      const { text, steps } = await job.waitUntilFinished(events)
      checkOutputs(
        Array.from({ length: steps }, () => text),
        output,
      )
    },
    async close() {
      await worker.close()
      await Promise.all([events.close(), producer.close()])
    },
  }
}

function sixJobs(): Flow {
  const { first, second, third, left, right, last } = sixSteps
  const chain = jobOf(third, [jobOf(second, [jobOf(first, [])])])
  // the right one would depend on the third as well, but a job cannot have two parents
  return jobOf(last, [jobOf(left, [chain]), jobOf(right, [])])
}

function jobOf(name: string, children: readonly Flow[]): Flow {
  return { name, queueName, opts: { removeOnComplete: { count: keptJobs } }, children }
}
