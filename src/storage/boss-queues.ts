import type { PgBoss } from 'pg-boss'

import type { ActivationQueue, PublishQueue } from '../workflows/queue.ts'
import { activationQueueName } from './activation-queue-name.ts'
import { activationQueueOptions, createActivationJobs, createActivationQueue } from './activation-queue.ts'
import { asBossDatabase } from './database.ts'
import type { Database } from './database.ts'
import { unavailable } from './database-errors.ts'
import { createPublishJobs, createPublishQueue, publishQueueName, publishQueueOptions } from './publish-queue.ts'
import type { TransactionJobs } from './store-write.ts'

/** The queues with their common life cycle, and the jobs as the store sends and completes them. */
export interface BossQueues {
  readonly activations: ActivationQueue
  readonly publications: PublishQueue
  readonly jobs: TransactionJobs
  /** Loads pg-boss, for which `start` would have to wait; the store and its statements do without. */
  load(): Promise<void>
  /** Makes or updates pg-boss's schema and the queues. */
  start(): Promise<void>
  stop(): Promise<void>
}

export interface BossQueuesParts {
  readonly database: Database
  /** This process is the only one. */
  readonly embedded: boolean
  /** Ended workflows get a job to be published. */
  readonly publishes: boolean
  /** Errors of pg-boss's own timers, which nobody awaits. */
  onError?(error: unknown): void
}

async function createBoss(parts: BossQueuesParts): Promise<PgBoss> {
  const { PgBoss } = await import('pg-boss')
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

async function makeQueues(boss: PgBoss): Promise<void> {
  const queues = [
    [activationQueueName, activationQueueOptions],
    [publishQueueName, publishQueueOptions],
  ] as const
  for (const [name, options] of queues) {
    await boss.createQueue(name, options)
    // createQueue leaves the options of a queue that exists as they are.
    await boss.updateQueue(name, options)
  }
}

// The only process takes back at once what it was publishing when it died; elsewhere such jobs expire.
async function takeBackPublications(boss: PgBoss, database: Database): Promise<void> {
  const { rows } = await database.query<{ id: string }>(
    `SELECT id FROM pgboss.job WHERE name = $1 AND state = 'active'`,
    [publishQueueName],
  )
  if (rows.length > 0)
    await boss.fail(
      publishQueueName,
      rows.map((row) => row.id),
    )
}

/** The queues on pg-boss; everything throws `unavailable` until they are started. */
export function createBossQueues(parts: BossQueuesParts): BossQueues {
  let boss: PgBoss | null = null
  const ready = (): PgBoss => {
    if (!boss) throw unavailable('The queue is not open yet.')
    return boss
  }
  const { database, embedded, publishes } = parts
  return {
    activations: createActivationQueue(ready, database),
    publications: createPublishQueue(ready),
    jobs: { ...createActivationJobs(ready), ...(publishes ? createPublishJobs(ready) : {}) },
    load: () => import('pg-boss').then(() => undefined),
    async start() {
      const starting = await createBoss(parts)
      try {
        await starting.start()
        await makeQueues(starting)
        if (embedded) await takeBackPublications(starting, database)
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
