import { createStorage } from '../../src/storage/create-storage.ts'
import type { Storage } from '../../src/storage/create-storage.ts'
import type { Database } from '../../src/storage/database.ts'
import { failingParts, postgresOptions } from '../support/database.ts'
import { openEngineBench } from '../support/engine-fixture.ts'
import type { EngineBench, EngineBenchOptions } from '../support/engine-fixture.ts'
import { startModelServer } from '../support/fault-server.ts'
import type { ModelServerDouble } from '../support/fault-server.ts'

/** One replica in this process. */
export interface ReplicaBench {
  readonly bench: EngineBench
  readonly storage: Storage
  /** What it has said to the database outside of transactions. */
  readonly statements: readonly string[]
  readonly query: Database['query']
}

/** Replicas on one Postgres, all at work on one model server. */
export interface ReplicaBenches {
  readonly model: ModelServerDouble
  open(options?: EngineBenchOptions): Promise<ReplicaBench>
  /** One that never takes any work: for readers. */
  openIdle(options?: EngineBenchOptions): Promise<ReplicaBench>
  close(): Promise<void>
}

/** Opens none yet. */
export async function openReplicaBenches(databaseUrl: string): Promise<ReplicaBenches> {
  const model = await startModelServer()
  const closing: (() => Promise<void>)[] = [() => model.close()]

  const open = async (options: EngineBenchOptions = {}): Promise<ReplicaBench> => {
    const statements: string[] = []
    let query: Database['query'] = () => Promise.reject(new Error('The storage is not open.'))
    const around = (database: Database): Database => {
      ;({ query } = database)
      return {
        ...database,
        query: (text, values) => {
          statements.push(text)
          return database.query(text, values)
        },
      }
    }
    const storage = createStorage(
      { ...postgresOptions(databaseUrl), publishes: false },
      { ...failingParts, around, onError: () => undefined },
    )
    closing.push(() => storage.close())
    await storage.start()
    const engine = { onlyProcess: false, ...options.engine }
    const bench = await openEngineBench(storage, { server: model, ...options, engine })
    closing.push(() => bench.close())
    await bench.engine.start()
    return { bench, storage, statements, query }
  }
  return {
    model,
    open,
    openIdle: (options) => open({ ...options, engine: { maxConcurrentWorkflows: 0 } }),
    async close() {
      for (const close of closing.splice(0).toReversed()) await close()
    },
  }
}
