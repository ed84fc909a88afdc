import type { PgBoss } from 'pg-boss'

import type { PublishJob, PublishQueue } from '../workflows/queue.ts'
import { asBossDatabase } from './database.ts'
import type { TransactionJobs } from './store-write.ts'
import { withAppErrorsEach } from './workflow-store.ts'

/** Name of the queue. */
export const publishQueueName = 'publication'

/** A disk that is full or not mounted may be so for long: tried again for days, at least every ten minutes. */
export const publishQueueOptions = {
  expireInSeconds: 300,
  retryLimit: 1000,
  retryDelay: 1,
  retryBackoff: true,
  retryDelayMax: 600,
  retentionSeconds: 31_536_000,
  deleteAfterSeconds: 60,
  notify: false,
}

interface JobData {
  readonly workflowId: string
}

function toAttempt({ id, retry }: PublishJob): { id: string; retryCount: number } {
  return { id, retryCount: retry }
}

/** The queue of ended workflows that are to be written to the output directory. */
export function createPublishQueue(ready: () => PgBoss): PublishQueue {
  const name = publishQueueName
  return withAppErrorsEach<PublishQueue>({
    async fetch() {
      const [job] = await ready().fetch<JobData>(name, { includeMetadata: true })
      return job ? { id: job.id, workflowId: job.data.workflowId, retry: job.retryCount } : null
    },
    async complete(job) {
      await ready().complete(name, [toAttempt(job)])
    },
    async fail(job) {
      await ready().fail(name, [toAttempt(job)])
    },
  })
}

/** Sends such jobs inside the store's transactions. */
export function createPublishJobs(ready: () => PgBoss): Required<Pick<TransactionJobs, 'publish'>> {
  return {
    async publish(tx, workflowId) {
      const data: JobData = { workflowId }
      await ready().send(publishQueueName, data, { db: asBossDatabase(tx) })
    },
  }
}
