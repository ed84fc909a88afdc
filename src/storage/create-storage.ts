import { setTimeout as delay } from 'node:timers/promises'

import type { ChunkStore } from '../workflows/chunks.ts'
import type { Hints } from '../workflows/hints.ts'
import type { ActivationQueue, Clock, PublishQueue } from '../workflows/queue.ts'
import type { WorkflowStore } from '../workflows/store.ts'
import type { DeliveryLog, DeliveryQueue } from '../workflows/webhooks.ts'
import { activationQueueName } from './activation-queue-name.ts'
import { createBossQueues } from './boss-queues.ts'
import type { BossQueues } from './boss-queues.ts'
import { createFigures } from './database-figures.ts'
import type { DatabaseFigures } from './database-figures.ts'
import { isPassing, unavailable, withAppErrors } from './database-errors.ts'
import { createDeliveryLog } from './delivery-log.ts'
import { createDeliveryQueue } from './delivery-queue.ts'
import { createLateDatabase } from './late-database.ts'
import type { LateDatabase } from './late-database.ts'
import { migrate, readMigrations, withSetupLock } from './migrate.ts'
import { createNotifyHints } from './notify-hints.ts'
import type { NotifyHints } from './notify-hints.ts'
import { createNobodysHints } from './notify-nobody.ts'
import type { Database } from './database.ts'
import { openDatabase } from './open-database.ts'
import type { StorageOptions, StorageParts } from './open-database.ts'
import { createProbe } from './probe.ts'
import type { Probe } from './probe.ts'
import { createSigningKey } from './signing-key.ts'
import type { SigningKey } from './signing-key.ts'
import { createChunkStore } from './store-chunks.ts'
import { createWorkflowStore } from './workflow-store.ts'

interface PartStatus {
  readonly ok: boolean
  readonly detail: string
}

/** The store and the queue, which are there before their database is: until then everything throws `unavailable`. */
export interface Storage {
  readonly store: WorkflowStore
  readonly queue: ActivationQueue
  /** Ended workflows to be published; empty unless the options ask for it. */
  readonly publications: PublishQueue
  /** Events that webhooks are to be told of. */
  readonly deliveries: DeliveryQueue & DeliveryLog
  /** Open texts between the replicas of one Postgres. */
  readonly chunks: ChunkStore
  readonly signingKey: SigningKey
  /** The database's clock. */
  readonly clock: Clock
  /** Between the replicas of one Postgres. */
  readonly hints: Hints
  /** PGlite: this process is the only one. */
  readonly embedded: boolean
  /**
   * Begins what needs nothing of this thread: resolves as soon as the embedded database opens in a thread of its own, or
   * has failed to. Optional; `start` tells what came of it.
   */
  open(): Promise<void>
  /**
   * Resolves when everything is ready; waits as long as a Postgres cannot be reached. Rejects with an `AppError` when
   * the data directory is in use, when the database refuses to be used like this, and when it is closed meanwhile.
   */
  start(): Promise<void>
  /** The database has answered within the last seconds. */
  ready(): boolean
  status(): { readonly database: PartStatus; readonly queue: PartStatus }
  /** What metrics tell of the database; reading it costs nothing. */
  figures(): DatabaseFigures
  /** Lets go of everything, also in the middle of `start`. */
  close(): Promise<void>
}

const firstWaitMs = 250
const longestWaitMs = 2000

interface Machinery {
  readonly database: LateDatabase
  readonly boss: BossQueues
  readonly probe: Probe
}

async function prepare({ database, boss }: Machinery): Promise<void> {
  await migrate(database, await readMigrations())
  await boss.start()
}

async function prepareWhenReachable(machinery: Machinery, signal: AbortSignal, parts: StorageParts): Promise<void> {
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
    try {
      await machinery.probe.ask()
      return await withSetupLock(machinery.database, () => prepare(machinery))
    } catch (error) {
      if (signal.aborted) throw unavailable('The database is closed.', error)
      if (!isPassing(error)) throw error
      parts.onError?.(error)
    }
    await delay(waitMs, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) throw unavailable('The database is closed.')
  }
}

function createHints({ databaseUrl }: StorageOptions, parts: StorageParts): NotifyHints {
  if (databaseUrl === null) return createNobodysHints()
  return createNotifyHints({
    async connect(hear, signal) {
      const { connectNotify } = await import('./notify-connection.ts')
      return connectNotify({ databaseUrl, signal }, hear)
    },
    onError: (error) => parts.onError?.(error),
  })
}

function createQueues(database: Database, options: StorageOptions, parts: StorageParts): BossQueues {
  return createBossQueues({
    database,
    embedded: options.databaseUrl === null,
    publishes: options.publishes ?? false,
    onError: (error) => parts.onError?.(error),
  })
}

function createSmallStores(database: Database): Pick<Storage, 'chunks' | 'deliveries' | 'signingKey'> {
  const deliveries = { ...createDeliveryQueue(database), ...createDeliveryLog(database) }
  return { chunks: createChunkStore(database), deliveries, signingKey: createSigningKey(database) }
}

/** Builds storage on PGlite or Postgres; does nothing before `start`. */
export function createStorage(options: StorageOptions, parts: StorageParts): Storage {
  const embedded = options.databaseUrl === null
  const database = createLateDatabase()
  const boss = createQueues(database, options, parts)
  const probe = createProbe(database, { ownClock: !embedded })
  const figures = createFigures(database, { embedded, probe })
  const hints = createHints(options, parts)
  const closing = new AbortController()
  let opening: Promise<Database> | null = null
  let starting: Promise<void> | null = null
  let started = false

  const underWay = Promise.withResolvers<void>()
  const open = () => (opening ??= openDatabase(options, { ...parts, onThreadStarted: underWay.resolve }))

  async function start(): Promise<void> {
    const [opened] = await Promise.all([open(), boss.load()])
    database.open(parts.around?.(opened) ?? opened)
    const machinery = { database, boss, probe }
    if (embedded) {
      await prepare(machinery)
      await probe.ask()
    } else await prepareWhenReachable(machinery, closing.signal, parts)
    await hints.start()
    if (closing.signal.aborted) throw unavailable('The database is closed.')
    probe.start()
    figures.start()
    started = true
  }

  const queueStatus = (): PartStatus => (started ? probe.state() : { ok: false, detail: 'not open yet' })
  const databaseStatus = (): PartStatus => {
    const status = queueStatus()
    return status.ok && !hints.listening() ? { ok: true, detail: 'notifications are lost, polling' } : status
  }

  return {
    store: createWorkflowStore(database, { jobs: boss.jobs, queueName: activationQueueName }),
    queue: boss.activations,
    publications: boss.publications,
    ...createSmallStores(database),
    clock: probe.clock,
    hints,
    embedded,
    async open() {
      if (embedded) await Promise.race([underWay.promise, open().catch(() => undefined)])
    },
    start: () => (starting ??= withAppErrors(start)),
    ready: () => databaseStatus().ok,
    status: () => ({ database: databaseStatus(), queue: queueStatus() }),
    figures: () => figures.read(),
    async close() {
      closing.abort()
      await hints.close()
      await (starting ?? opening?.then((opened) => database.open(opened)))?.catch(() => undefined)
      started = false
      probe.stop()
      figures.stop()
      await boss.stop()
      await database.close()
    },
  }
}
