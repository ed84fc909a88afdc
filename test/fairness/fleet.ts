import { createStorage } from '../../src/storage/create-storage.ts'
import type { Storage } from '../../src/storage/create-storage.ts'
import type { Database } from '../../src/storage/database.ts'
import { failingParts, openTestStorage, postgresOptions } from '../support/database.ts'
import { caller, openEngineBench } from '../support/engine-fixture.ts'
import type { EngineBench, EngineBenchOptions } from '../support/engine-fixture.ts'
import { startModelServer } from '../support/fault-server.ts'
import type { ModelServerDouble } from '../support/fault-server.ts'
import type { CustomStep } from '../../src/workflows/requests.ts'

/** Engines on one database, all at work on one model server. */
export interface Fleet {
  readonly model: ModelServerDouble
  readonly storage: Storage
  readonly benches: readonly EngineBench[]
  /** What its engines have said to the database. */
  readonly statements: readonly string[]
  readonly query: Database['query']
  /** On behalf of a key, by one of them after the other. */
  start(owner: string, steps: readonly CustomStep[]): Promise<string>
  close(): Promise<void>
}

/** One engine on PGlite for no url, else three on that Postgres. */
export async function openFleet(databaseUrl: string | null, options: EngineBenchOptions['engine']): Promise<Fleet> {
  const model = await startModelServer()
  const statements: string[] = []
  const databases: Database[] = []
  const around = (database: Database): Database => {
    databases.push(database)
    const query: Database['query'] = (text, values) => {
      statements.push(text)
      return database.query(text, values)
    }
    return { ...database, query }
  }
  const parts = { ...failingParts, around, onError: () => undefined }
  const open = async () => {
    if (databaseUrl === null) return openTestStorage({}, parts)
    const storage = createStorage({ ...postgresOptions(databaseUrl), publishes: false }, parts)
    await storage.start()
    return storage
  }
  const storages: Storage[] = []
  for (let n = databaseUrl === null ? 1 : 3; n > 0; n -= 1) storages.push(await open())
  const engine = { ...options, onlyProcess: databaseUrl === null }
  const benches = await Promise.all(storages.map((storage) => openEngineBench(storage, { server: model, engine })))
  const [storage] = storages
  const [database] = databases
  if (storage === undefined || database === undefined) throw new Error('There is no storage.')
  let started = 0
  return {
    model,
    storage,
    benches,
    statements,
    query: (text, values) => database.query(text, values),
    async start(owner, steps) {
      const { services } = benches[(started += 1) % benches.length] ?? {}
      if (services === undefined) throw new Error('There is no engine.')
      const request = { type: 'custom', requirement: 'Build it.', steps: [...steps] }
      return (await services.as({ name: owner, seesAll: false }).start(request, caller)).resource.id
    },
    async close() {
      for (const bench of benches) await bench.close()
      for (const each of storages) await each.close()
      await model.close()
    },
  }
}
