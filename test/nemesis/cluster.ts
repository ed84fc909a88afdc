import { setTimeout as delay } from 'node:timers/promises'
import type { Environment, LogLine } from '../support/service-process.ts'
import type { History } from './history.ts'
import { createReplica } from './replica.ts'
import type { Replica } from './replica.ts'

/** Draws a whole number between two, both included. */
export type Pick = (least: number, most: number) => number

/** Some replicas on one database. */
export interface Cluster {
  readonly replicas: readonly Replica[]
  /** Address of one of those where a process listens, frozen or not; waits until there is one. */
  anyUrl(pick: Pick): Promise<string>
  /** Thaws and starts all; resolves when they are ready. */
  heal(): Promise<void>
  /** Asks all to end, each on its own. */
  terminate(): Promise<void>
  kill(): Promise<void>
  faults(): readonly string[]
  /** What all have logged. */
  log(): readonly LogLine[]
  writeLogs(folder: string): Promise<void>
}

export interface ClusterParts {
  readonly count: number
  readonly directory: string
  readonly env: Environment
  readonly history: History
  readonly stop: AbortSignal
}

const lookMs = 30

/** A cluster whose replicas nobody has started yet. */
export function createCluster({ count, stop, ...parts }: ClusterParts): Cluster {
  const replicas = Array.from({ length: count }, (_, index) =>
    createReplica({ ...parts, name: `replica${index + 1}`, stop }),
  )
  const each = async (work: (replica: Replica) => Promise<void>): Promise<void> => {
    await Promise.all(replicas.map(work))
  }
  return {
    replicas,
    async anyUrl(pick) {
      for (;;) {
        stop.throwIfAborted()
        const urls = replicas.map((replica) => replica.url()).filter((url) => url !== null)
        const url = urls[pick(0, urls.length - 1)]
        if (url !== undefined) return url
        await delay(lookMs)
      }
    },
    async heal() {
      for (const replica of replicas) {
        replica.thaw()
        replica.start()
      }
      await each((replica) => replica.ready())
    },
    terminate: () => each((replica) => replica.terminate()),
    kill: () => each((replica) => replica.kill()),
    faults: () => replicas.flatMap((replica) => replica.faults()),
    log: () => replicas.flatMap((replica) => replica.log()),
    writeLogs: (folder) => each((replica) => replica.writeLogs(folder)),
  }
}
