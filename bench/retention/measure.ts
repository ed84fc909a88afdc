import type { Database } from '../../src/storage/database.ts'
import { createRetention } from '../../src/workflows/retention.ts'
import { openOurs, type OurContender } from '../engine/contenders/ours.ts'
import { measure, type Sample } from '../engine/measure.ts'
import { outputText } from '../engine/output-text.ts'
import { type Batch, timedRemoval } from './batches.ts'
import { storeEnded } from './fill.ts'
import { type LockWatch, type LongestWaits, longer, none, watchLocks } from './lock-watch.ts'

/** One database, so many ended workflows in it, and so many that run meanwhile. */
export interface RetentionPlan {
  /** null: the embedded database, in `directory`. */
  readonly databaseUrl: string | null
  readonly directory: string
  readonly stored: number
  readonly inFlight: number
  readonly windowMs: number
  readonly outputBytes: number
  readonly signal: AbortSignal
  readonly progress: (line: string) => void
}

/** What was seen in windows of one kind, in turn with those of the other. */
export interface RetentionResult {
  readonly without: readonly Sample[]
  readonly with: readonly Sample[]
  readonly batches: readonly Batch[]
  /** While workflows were deleted, and while not; null where nobody can look. */
  readonly longestWaits: { readonly with: LongestWaits; readonly without: LongestWaits } | null
  /** Workflows that were left at the end. */
  readonly left: number
}

const keepMs = 30 * 86_400_000
const warmUpMs = 500
const mostWindows = 200
// one without retention, then some with it, so that what else the machine does falls on both
const windowsPerTurn = 4

/** Fills the database, then has workflows run with and without retention until all is gone. */
export async function measureRetention(plan: RetentionPlan): Promise<RetentionResult> {
  const opened = Promise.withResolvers<Database>()
  const { databaseUrl, directory, inFlight, outputBytes } = plan
  const parts = { databaseUrl: databaseUrl ?? '', directory, redisUrl: '', output: outputText(outputBytes), inFlight }
  const kind = { embedded: databaseUrl === null, prompts: false, onDatabase: opened.resolve }
  const service = await openOurs({ ...parts, chain: null, port: null }, kind)
  const locks = databaseUrl === null ? null : await watchLocks(databaseUrl)
  try {
    await service.run()
    const database = await opened.promise
    await storeEnded(database, plan.stored, (done) => {
      plan.signal.throwIfAborted()
      if (done % 10_000 === 0) plan.progress(`${done} stored`)
    })
    const windows = await alternate(plan, { service, locks, database })
    return { ...windows, left: await countOf(database) }
  } finally {
    await locks?.stop()
    await service.close()
  }
}

interface Site {
  readonly service: OurContender
  readonly locks: LockWatch | null
  readonly database: Database
}

async function alternate(plan: RetentionPlan, site: Site): Promise<Omit<RetentionResult, 'left'>> {
  const { service, locks } = site
  const removal = timedRemoval(service.store)
  const samples = { with: [] as Sample[], without: [] as Sample[] }
  const waits = { with: none, without: none }
  const gauges = { counts: null, databasePid: null }
  const window = { inFlight: plan.inFlight, warmUpMs, windowMs: plan.windowMs }
  const one = async (kind: 'with' | 'without') => {
    locks?.take()
    samples[kind].push(await measure(service, window, gauges))
    waits[kind] = longer(waits[kind], locks?.take() ?? none)
  }
  for (let n = 0, left = plan.stored; n < mostWindows && left > 0; n += 1) {
    plan.signal.throwIfAborted()
    if (n % windowsPerTurn === 0) await one('without')
    const retention = createRetention({ store: removal, report }, { keepMs, everyMs: 1_000 })
    retention.start()
    await one('with')
    await retention.stop()
    left = await countOf(site.database)
    plan.progress(`window ${n + 1}: ${left} left`)
  }
  await one('without')
  return { ...samples, batches: removal.batches, longestWaits: locks === null ? null : waits }
}

async function countOf(database: Database): Promise<number> {
  const text = `SELECT count(*)::float8 AS left FROM agents.workflows WHERE ended_at < now() - interval '30 days'`
  return (await database.query<{ left: number }>(text)).rows[0]?.left ?? 0
}

function report(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
}
