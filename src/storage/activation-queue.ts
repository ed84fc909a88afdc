import type { PgBoss } from 'pg-boss'

import type { ActivationJob, ActivationQueue } from '../workflows/queue.ts'
import { activationQueueName } from './activation-queue-name.ts'
import { asBossDatabase } from './database.ts'
import type { Database } from './database.ts'
import { publishQueueName } from './publish-queue.ts'
import { forgetExpiredKeys } from './store-keys.ts'
import type { TransactionJobs } from './store-write.ts'
import { withAppErrorsEach } from './workflow-store.ts'

/** pg-boss's own limits: a job may be held for a day at most, and a heartbeat lasts ten seconds at least. */
export const activationQueueOptions = {
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

// As pg-boss restores a job, but never one that somebody newer has. Until it is claimed, it may have the same number
// when it is fetched again, so that being put back uses up none of its retries.
const putBack = `
  UPDATE pgboss.job j SET state = 'created', started_on = NULL, heartbeat_on = NULL, group_id = nullif(w.owner, '')
  FROM agents.workflows w WHERE w.id = j.data->>'workflowId'
    AND j.name = $1 AND j.id = ANY ($2::uuid[]) AND j.state = 'active'
    AND (j.id::text || ':' || j.retry_count::text) = ANY ($3::text[])`

// What was being run by somebody who is lost still counts as run: who passes its owner over must find it all the same.
const findable = `UPDATE pgboss.job SET group_id = NULL WHERE name = $1 AND state = 'retry' AND group_id IS NOT NULL`

function byRankThenAge(a: ActivationJob, b: ActivationJob): number {
  return b.rank - a.rank || a.createdAt - b.createdAt
}

function toAttempt({ id, retry }: ActivationJob): { id: string; retryCount: number } {
  return { id, retryCount: retry }
}

/**
 * The queue of activations; everything throws what `ready` throws until pg-boss is started. Where it deletes completed
 * jobs it also deletes idempotency keys that are free again.
 */
export function createActivationQueue(ready: () => PgBoss, database: Database): ActivationQueue {
  const name = activationQueueName
  return withAppErrorsEach<ActivationQueue>({
    async fetch(limit, passedOver = []) {
      const ignoreGroups = [...passedOver]
      const found = await ready().fetch<JobData>(name, { batchSize: limit, includeMetadata: true, ignoreGroups })
      const jobs = found.map((job) => ({
        id: job.id,
        workflowId: job.data.workflowId,
        activation: job.data.activation,
        retry: job.retryCount,
        rank: job.priority,
        createdAt: new Date(job.createdOn).getTime(),
      }))
      // A batch comes in no order.
      return jobs.toSorted(byRankThenAge)
    },
    async touch(jobs) {
      const boss = ready()
      if (jobs.length > 0) await boss.touch(name, jobs.map(toAttempt))
    },
    async completeFenced(job) {
      await ready().complete(name, [toAttempt(job)])
    },
    async putBack(jobs) {
      const attempts = jobs.map(({ id, retry }) => `${id}:${retry}`)
      if (jobs.length > 0) await database.query(putBack, [name, jobs.map(({ id }) => id), attempts])
    },
    async hasLapsed() {
      ready()
      return (await database.query(lapsed, [name])).rows.length > 0
    },
    async supervise() {
      await ready().supervise(name)
      await database.query(findable, [name])
      await ready().supervise(publishQueueName)
      await forgetExpiredKeys(database)
    },
  })
}

/** Sends such jobs inside the store's transactions. */
export function createActivationJobs(ready: () => PgBoss): Pick<TransactionJobs, 'send'> {
  return {
    async send(tx, { id, jobId, activation, owner }, rank) {
      if (jobId === null) throw new Error(`Workflow ${id} has no job to send.`)
      const data: JobData = { workflowId: id, activation }
      // What has an owner can be passed over by its name.
      const group = owner === '' ? {} : { group: { id: owner } }
      await ready().send(activationQueueName, data, { id: jobId, priority: rank, ...group, db: asBossDatabase(tx) })
    },
  }
}
