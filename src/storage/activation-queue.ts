import { PgBoss } from 'pg-boss'

import type { ActivationJob, ActivationQueue } from '../workflows/queue.ts'
import { asBossDatabase } from './database.ts'
import type { Database } from './database.ts'
import { unavailable } from './database-errors.ts'
import type { ActivationJobs } from './store-write.ts'
import { withAppErrorsEach } from './workflow-store.ts'

/** Name of the queue. */
export const activationQueueName = 'activation'

// pg-boss's own limits: a job may be held for a day at most, and a heartbeat lasts ten seconds at least.
const queueOptions = {
  expireInSeconds: 86_400,
  retryLimit: 1000,
  retryDelay: 0,
  retentionSeconds: 31_536_000,
  heartbeatSeconds: 10,
  deleteAfterSeconds: 60,
  notify: false,
}

interface JobData {
  readonly workflowId: string
  readonly activation: number
}

const lapsed = `
  SELECT 1 FROM pgboss.job WHERE name = $1 AND state = 'active'
    AND heartbeat_on + heartbeat_seconds * interval '1 s' < now() LIMIT 1`

/** The queue with its life cycle, and the jobs as the store sends and completes them. */
export interface BossQueue {
  readonly queue: ActivationQueue
  readonly jobs: ActivationJobs
  /** Makes or updates pg-boss's schema and the queue. */
  start(): Promise<void>
  stop(): Promise<void>
}

export interface BossQueueParts {
  readonly database: Database
  readonly embedded: boolean
  /** Errors of pg-boss's own timers, which nobody awaits. */
  onError?(error: unknown): void
}

function createBoss(parts: BossQueueParts): PgBoss {
  const boss = new PgBoss({
    db: asBossDatabase(parts.database),
    backend: parts.embedded ? 'pglite' : 'postgres',
    supervise: false,
    schedule: false,
    registerInstance: false,
    monitorIntervalSeconds: 1,
    maintenanceIntervalSeconds: 60,
    monitorVacuum: false,
    reindex: false,
  })
  boss.on('error', (error) => parts.onError?.(error))
  return boss
}

function byPriorityThenAge(a: ActivationJob, b: ActivationJob): number {
  return b.priority - a.priority || a.createdAt - b.createdAt
}

function toAttempt({ id, retry }: ActivationJob): { id: string; retryCount: number } {
  return { id, retryCount: retry }
}

function createQueue(ready: () => PgBoss, database: Database): ActivationQueue {
  const name = activationQueueName
  return withAppErrorsEach<ActivationQueue>({
    async fetch(limit) {
      const found = await ready().fetch<JobData>(name, { batchSize: limit, includeMetadata: true })
      const jobs = found.map((job) => ({
        id: job.id,
        workflowId: job.data.workflowId,
        activation: job.data.activation,
        retry: job.retryCount,
        priority: job.priority,
        createdAt: new Date(job.createdOn).getTime(),
      }))
      // A batch comes in no order.
      return jobs.toSorted(byPriorityThenAge)
    },
    async touch(jobs) {
      const boss = ready()
      if (jobs.length > 0) await boss.touch(name, jobs.map(toAttempt))
    },
    async completeFenced(job) {
      await ready().complete(name, [toAttempt(job)])
    },
    async hasLapsed() {
      ready()
      return (await database.query(lapsed, [name])).rows.length > 0
    },
    supervise: () => ready().supervise(name),
  })
}

function createJobs(ready: () => PgBoss): ActivationJobs {
  return {
    async send(tx, { id, jobId, activation, priority }) {
      if (jobId === null) throw new Error(`Workflow ${id} has no job to send.`)
      const data: JobData = { workflowId: id, activation }
      await ready().send(activationQueueName, data, { id: jobId, priority, db: asBossDatabase(tx) })
    },
    async complete(tx, jobId) {
      // Also a job that has lapsed and is queued again: the claim in the transaction's first statement is the fence.
      await ready().complete(activationQueueName, jobId, null, { db: asBossDatabase(tx), includeQueued: true })
    },
  }
}

/** The queue of activations on pg-boss; everything throws `unavailable` until it is started. */
export function createBossQueue(parts: BossQueueParts): BossQueue {
  let boss: PgBoss | null = null
  const ready = (): PgBoss => {
    if (!boss) throw unavailable('The queue is not open yet.')
    return boss
  }
  return {
    queue: createQueue(ready, parts.database),
    jobs: createJobs(ready),
    async start() {
      const starting = createBoss(parts)
      try {
        await starting.start()
        await starting.createQueue(activationQueueName, queueOptions)
        // createQueue leaves the options of a queue that exists as they are.
        await starting.updateQueue(activationQueueName, queueOptions)
      } catch (error) {
        await starting.stop({ graceful: false, close: false }).catch(() => undefined)
        throw error
      }
      boss = starting
    },
    async stop() {
      const stopping = boss
      boss = null
      await stopping?.stop({ graceful: false, close: false })
    },
  }
}
