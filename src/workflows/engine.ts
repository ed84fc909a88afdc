import { setTimeout as sleep } from 'node:timers/promises'
import { createChunkWriter } from './chunk-writer.ts'
import type { ChunkStore } from './chunks.ts'
import { isUnavailable, untilAvailable } from './committer.ts'
import { closeExpiredGates } from './gate-sweep.ts'
import { handOverLost } from './hand-over.ts'
import { createHearing } from './hearing.ts'
import { createLiveness } from './liveness.ts'
import { createPlaces } from './places.ts'
import type { ActivationQueue } from './queue.ts'
import type { Runner, RunnerParts } from './runner.ts'
import type { WorkflowHead, WorkflowStore } from './store.ts'
import { createWorkLoop, pause } from './work-loop.ts'
import type { WorkLoopOptions } from './work-loop.ts'

// a little less than a second, so that a cancel whose notification is lost still arrives within one
const roundMs = 900
const handOverAfterMs = 3_600_000
const handOverAtLatestMs = 12 * handOverAfterMs
const lastWordsMs = 5000

export interface EngineParts extends Omit<RunnerParts, 'places' | 'draining' | 'abandoned'> {
  readonly queue: ActivationQueue
  readonly chunks: ChunkStore
}

export interface EngineOptions extends WorkLoopOptions {
  /** Tasks that this replica runs at once. */
  readonly maxConcurrentAgents: number
  /** Nobody else can hold anything: what is active at boot was left by a predecessor that is dead. */
  readonly onlyProcess: boolean
}

/** Runs the workflows that this replica takes from the queue. */
export interface Engine {
  /** Takes back what a dead predecessor left (if there can be nobody else), and takes work. */
  start(): Promise<void>
  /** There is new work, or a change of a workflow that may be held here. */
  wake(workflowId: string): void
  /** Tasks running now, per role. */
  busy(): ReadonlyMap<string, number>
  /** Workflows held. */
  held(): number
  /** This replica runs it. */
  holds(workflowId: string): boolean
  /** Workflows in status `queued`, on all replicas, as of a second ago. */
  queued(): number
  /** Since when the oldest of them waits, milliseconds since the epoch; null: none does. */
  oldestQueuedAt(): number | null
  /** No step starts any more; running ones have `graceMs`, then everything held is handed over. */
  drain(graceMs: number): Promise<void>
}

/** Creates an engine that stands still until `start`. */
export function createEngine(base: EngineParts, options: EngineOptions): Engine {
  const { store, queue, followers, hints } = base
  const draining = new AbortController()
  const abandoned = new AbortController()
  const report = (error: unknown) => {
    // An outage is told by probe and health; everything else is a defect.
    if (!isUnavailable(error) && !abandoned.signal.aborted) base.reportDefect(error)
  }
  const places = createPlaces(options.maxConcurrentAgents, () => loop.freed())
  const parts: RunnerParts = { ...base, places, draining: draining.signal, abandoned: abandoned.signal }
  const loop = createWorkLoop({ ...options, runner: parts, queue, places, report })
  const runners = () => loop.runners()
  const reactivate = (id: string) => handOverLost(parts, id)
  const liveness = createLiveness({ store, queue, followers, runners, reactivate })
  const depth = createDepthGauge(store)
  const hearing = createHearing({ hints, followers, loop, liveness, report })
  const forOthers = [hearing, createChunkWriter({ ...base, loop, report })]

  const wake = (workflowId: string) => {
    loop.find(workflowId)?.poke()
    loop.wake()
  }
  const rounds = async () => {
    for (let dueAt = performance.now() + roundMs; !abandoned.signal.aborted; dueAt = nextRoundAt(dueAt)) {
      await pause(Math.max(0, dueAt - performance.now()), abandoned.signal)
      await liveness.round().catch(report)
      await depth.measure().catch(report)
      await closeExpiredGates({ ...parts, engine: { wake } }).catch(report)
      await Promise.all(runners().filter(isDueForHandOver).map(handOver))
    }
  }
  let taking = Promise.resolve()
  const handOver = (runner: Runner) => runner.handOver('shutdown').catch(report)

  const letGoOfAll = async () => {
    // What is being fetched at this moment is held a moment later.
    await taking
    await Promise.all(runners().map((runner) => handOver(runner).then(() => runner.finished)))
  }

  return {
    async start() {
      const left = options.onlyProcess ? await findLeft(parts) : []
      void takeBack(parts, left, () => loop.wake()).catch(report)
      taking = loop.run()
      void rounds()
      if (!options.onlyProcess) for (const part of forOthers) part.start()
    },
    wake,
    busy: () => countRunning(runners()),
    held: () => runners().length,
    holds: (workflowId) => loop.find(workflowId) !== undefined,
    queued: () => depth.latest().queued,
    oldestQueuedAt: () => depth.latest().oldestCreatedAt,
    async drain(graceMs) {
      // What did not let itself be handed over within its last words would not do so a second time either.
      if (abandoned.signal.aborted) return
      draining.abort(new Error('the service is shutting down'))
      loop.wake()
      await untilQuiet(runners, graceMs)
      await Promise.race([letGoOfAll(), sleep(lastWordsMs, undefined, { ref: false })])
      for (const part of forOthers) part.stop()
      abandoned.abort(new Error('the service has shut down'))
    },
  }
}

/** What a predecessor that is dead had not finished. */
function findLeft({ store, abandoned }: RunnerParts): Promise<readonly WorkflowHead[]> {
  return untilAvailable(async () => store.heads(await store.activeIds()), abandoned)
}

async function takeBack(parts: RunnerParts, left: readonly WorkflowHead[], onTaken: () => void): Promise<void> {
  for (const { id, claim } of left) {
    await handOverLost(parts, id, claim)
    onTaken()
  }
}

/** The length of the queue as last counted: reading it is free, so that every start and every scrape may. */
function createDepthGauge(store: WorkflowStore) {
  let depth: Awaited<ReturnType<WorkflowStore['queueDepth']>> = { queued: 0, oldestCreatedAt: null }
  return {
    latest: () => depth,
    async measure() {
      depth = await store.queueDepth()
    },
  }
}

/** One round a second; those that were missed, when one took longer, are not made up for. */
function nextRoundAt(dueAt: number): number {
  return Math.max(dueAt + roundMs, performance.now())
}

/** An activation lives as long as its job may, so it is renewed long before: at the first quiet moment. */
function isDueForHandOver(runner: Runner): boolean {
  const age = runner.ageMs()
  return age >= handOverAtLatestMs || (age >= handOverAfterMs && !runner.isRunningStep())
}

async function untilQuiet(runners: () => readonly Runner[], graceMs: number): Promise<void> {
  const until = performance.now() + graceMs
  while (performance.now() < until && runners().some((runner) => runner.isRunningStep())) await sleep(20)
}

function countRunning(runners: readonly Runner[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { definition, status } of runners.flatMap((runner) => runner.state().steps)) {
    if (status === 'running') counts.set(definition.role, (counts.get(definition.role) ?? 0) + 1)
  }
  return counts
}
