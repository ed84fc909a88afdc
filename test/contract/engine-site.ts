import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import type { Storage } from '../../src/storage/create-storage.ts'
import type { Database } from '../../src/storage/database.ts'
import type { StorageParts } from '../../src/storage/open-database.ts'
import { failingParts } from '../support/database.ts'
import { openEngineBench } from '../support/engine-fixture.ts'
import type { EngineBench, EngineBenchOptions } from '../support/engine-fixture.ts'
import { startModelServer } from '../support/fault-server.ts'
import type { ModelServerDouble } from '../support/fault-server.ts'
import { createScriptedModel } from './engine-model.ts'
import type { ScriptedModel } from './engine-model.ts'
import { createEngineWatch } from './engine-watch.ts'
import type { EngineWatch } from './engine-watch.ts'

/** One database, and replicas of the engine on it. */
export interface EngineSite {
  /** Several replicas may be there at once. */
  readonly shared: boolean
  readonly model: () => ModelServerDouble
  readonly script: ScriptedModel
  /** Over all of its replicas. */
  readonly watch: EngineWatch
  readonly storage: (replica?: number) => Storage
  readonly query: Database['query']
  /** A replica whose engine stands still; closed after the test. The first one is 0. */
  openBench(options?: EngineBenchOptions, replica?: number): Promise<EngineBench>
  /** Benches that work: two on a database that is shared, else one. */
  openWorking(options?: EngineBenchOptions): Promise<readonly EngineBench[]>
  /** Resolves when no live job, no active workflow and no open attempt is left. */
  expectNothingLeft(): Promise<void>
  /** Every job that is held seems to be held by somebody who is dead, and goes back into the queue. */
  lapseJobs(): Promise<void>
}

const left = `SELECT
  (SELECT count(*)::integer FROM pgboss.job WHERE name = 'activation' AND state < 'completed') AS jobs,
  (SELECT count(*)::integer FROM agents.workflows WHERE active) AS active,
  (SELECT count(*)::integer FROM agents.attempts WHERE status = 'open') AS open`
const lapse = `UPDATE pgboss.job SET heartbeat_on = now() - interval '1 minute' WHERE name = 'activation' AND state = 'active'`

export type OpenStorage = (parts: StorageParts) => Promise<Storage>

/** To be called in a `describe`: opens one storage for each replica before its tests. */
export function useEngineSite(openStorages: readonly OpenStorage[]): EngineSite {
  const storages: Storage[] = []
  const databases: Database[] = []
  const opened: EngineBench[] = []
  const script = createScriptedModel()
  const watch = createEngineWatch()
  let server: ModelServerDouble | null = null

  beforeAll(async () => {
    const around = (database: Database): Database => {
      databases.push(database)
      return database
    }
    for (const open of openStorages) storages.push(await open({ ...failingParts, around, onError: () => undefined }))
    server = await startModelServer({ answer: script.answer })
  })
  afterEach(async () => {
    script.openAll()
    for (const bench of opened.splice(0)) await bench.close()
  })
  afterAll(async () => {
    for (const storage of storages) await storage.close()
    await server?.close()
  })

  const there = <T>(part: T | null | undefined): T => {
    if (part === null || part === undefined) throw new Error('The site is not open.')
    return part
  }
  const shared = openStorages.length > 1
  const storage = (replica = 0) => there(storages[replica])
  const model = () => there(server)
  const query: Database['query'] = (text, values) => there(databases[0]).query(text, values)

  const openBench = async (options: EngineBenchOptions = {}, replica = 0) => {
    const engine = { maxConcurrentAgents: 100, onlyProcess: !shared, ...options.engine }
    const bench = await openEngineBench(storage(replica), { server: model(), ...options, engine })
    opened.push(bench)
    watch.add(bench)
    return bench
  }
  return {
    shared,
    model,
    script,
    watch,
    storage,
    query,
    openBench,
    async openWorking(options) {
      const benches = await Promise.all(storages.map((_storage, replica) => openBench(options, replica)))
      await Promise.all(benches.map((bench) => bench.engine.start()))
      return benches
    },
    async expectNothingLeft() {
      const nothing = { jobs: 0, active: 0, open: 0 }
      await expect.poll(async () => (await query(left)).rows[0], { timeout: 10_000 }).toEqual(nothing)
    },
    async lapseJobs() {
      await query(lapse)
      await storage().queue.supervise()
    },
  }
}

/** Name of a request, by which its events can be found. */
export function newCorrelation(): string {
  return `try-${randomUUID()}`
}
