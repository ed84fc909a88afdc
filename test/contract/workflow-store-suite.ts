import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'

import type { Storage } from '../../src/storage/create-storage.ts'
import type { Database } from '../../src/storage/database.ts'
import type { StorageParts } from '../../src/storage/open-database.ts'
import { failingParts } from '../support/database.ts'
import { describeChanges } from './changes-suite.ts'
import { describeChunks } from './chunks-suite.ts'
import { describeEdits } from './edits-suite.ts'
import { describeGates } from './gates-suite.ts'
import { describeJobs } from './jobs-suite.ts'
import { describeKeys } from './keys-suite.ts'
import { describeLists } from './lists-suite.ts'
import { describeRetention } from './retention-suite.ts'
import { describeResults } from './results-suite.ts'
import { describeShares } from './shares-suite.ts'
import { describeSigningKey } from './signing-key-suite.ts'
import { createStoreBench } from './store-bench.ts'
import { describeTurns } from './turns-suite.ts'
import { describeWebhookIncidents } from './webhook-incidents-suite.ts'
import { describeWebhooks } from './webhooks-suite.ts'

/** What every database behind the ports of `workflows` has to do. */
export function describeWorkflowStore(name: string, openStorage: (parts: StorageParts) => Promise<Storage>): void {
  describe(`workflow store on ${name}`, () => {
    let storage: Storage | null = null
    let database: Database | null = null

    beforeAll(async () => {
      const around = (opened: Database): Database => (database = opened)
      storage = await openStorage({ ...failingParts, around })
    }, 60_000)

    afterAll(async () => {
      await storage?.close()
    })

    const isOpen = <T>(part: T | null): T => {
      if (part === null) throw new Error('The storage is not open.')
      return part
    }
    const bench = createStoreBench(
      () => isOpen(storage),
      () => isOpen(database),
    )
    describeChanges(bench)
    describeKeys(bench)
    describeJobs(bench)
    describeGates(bench)
    describeEdits(bench)
    describeResults(bench)
    describeLists(bench)
    describeRetention(bench)
    describeChunks(bench)
    describeTurns(bench)
    describeShares(bench)
    describeSigningKey(bench)
    describeWebhooks(bench)
    describeWebhookIncidents(bench)

    it('tells its figures', async () => {
      const figures = () => isOpen(storage).figures()
      await vi.waitUntil(() => figures().walWrittenBytes !== null, { timeout: 20_000 })
      const { embedded } = isOpen(storage)
      expect(figures()).toEqual({
        kind: embedded ? 'embedded' : 'postgres',
        up: true,
        probeMs: expect.any(Number) as number,
        sizeBytes: expect.any(Number) as number,
        walSizeBytes: expect.any(Number) as number,
        walWrittenBytes: expect.any(Number) as number,
        connections: embedded
          ? null
          : { open: expect.any(Number), idle: expect.any(Number), waiting: 0, limit: expect.any(Number) },
      })
    })
  })
}
