import type { WorkflowStore } from '../workflows/store.ts'
import type { Database } from './database.ts'
import { withAppErrors } from './database-errors.ts'
import { createArtifactReads } from './store-artifacts.ts'
import { createLedger } from './store-calls.ts'
import { createGateReads } from './store-gates.ts'
import { createKeyReads } from './store-keys.ts'
import { listRecords } from './store-list.ts'
import { createStoreReads } from './store-read.ts'
import { createStoreWrites } from './store-write.ts'
import type { TransactionJobs } from './store-write.ts'

type Method = (...values: never[]) => Promise<unknown>

/** The same methods, whose exceptions are all `AppError`s. */
export function withAppErrorsEach<T extends object>(methods: T): T {
  const wrapped = Object.entries(methods as Record<string, Method>).map(([name, method]) => [
    name,
    (...values: never[]) => withAppErrors(() => method(...values)),
  ])
  return Object.fromEntries(wrapped) as T
}

/** The store of workflows over either database. Throws `unavailable` while that cannot be reached, else `internal`. */
export function createWorkflowStore(
  database: Database,
  parts: { readonly jobs: TransactionJobs; readonly queueName: string },
): WorkflowStore {
  return withAppErrorsEach<WorkflowStore>({
    ...createStoreWrites(database, parts.jobs),
    ...createStoreReads(database, parts.queueName),
    ...createArtifactReads(database),
    ...createLedger(database),
    ...createGateReads(database),
    ...createKeyReads(database),
    list: (filter) => listRecords(database, filter),
  })
}
