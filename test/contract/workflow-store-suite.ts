import { afterAll, beforeAll, describe } from 'vitest'

import type { Storage } from '../../src/storage/create-storage.ts'
import { describeChanges } from './changes-suite.ts'
import { describeLists } from './lists-suite.ts'
import { describeResults } from './results-suite.ts'
import { createStoreBench } from './store-bench.ts'

/** What every database behind the ports of `workflows` has to do. */
export function describeWorkflowStore(name: string, openStorage: () => Promise<Storage>): void {
  describe(`workflow store on ${name}`, () => {
    let storage: Storage | null = null

    beforeAll(async () => {
      storage = await openStorage()
    }, 60_000)

    afterAll(async () => {
      await storage?.close()
    })

    const bench = createStoreBench(() => {
      if (!storage) throw new Error('The storage is not open.')
      return storage
    })
    describeChanges(bench)
    describeResults(bench)
    describeLists(bench)
  })
}
