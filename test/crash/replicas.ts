import type { CrashPoint } from '../support/crashing-store.ts'
import { startServiceProcess } from '../support/service-process.ts'
import type { Environment, LogLine, ServiceProcess } from '../support/service-process.ts'

/** Counts of what is stored. */
export interface Inspection {
  /** Jobs of activations that are not completed. */
  readonly liveJobs: number
  /** Workflows that are active. */
  readonly active: number
  readonly workflows: number
  readonly openAttempts: number
}

/** A point in the life of a workflow; or of a process that goes on where one died, counted from its start. */
export interface PlannedCrash extends CrashPoint {
  readonly phase: 'run' | 'recovery'
}

/** Processes on one database, one after the other: where one dies, the next goes on. */
export interface Replicas {
  /** Address of the one that was ready last. */
  url(): string
  /** Resolves when the one that was started last is ready, or those after it if it dies before. Rejects when one fails. */
  up(): Promise<void>
  /** Where a process dies, from 0; null: nowhere, or it was not started. */
  pointOf(process: number): PlannedCrash | null
  /** Resolves when this process, from 0, has died as it was to. Rejects when it ended in another way. */
  gone(process: number): Promise<void>
  /** Ends a process that did not die by itself, as if it had; resolves when the next one is there. */
  replace(process: number): Promise<void>
  /** What a process finds in the database; once asked, it begins to count its statements. Asked once at most. */
  inspect(process: number): Promise<Inspection>
  /** Names of the statements that a process has counted, in order. */
  statements(process: number): readonly string[]
  /** What all have logged. */
  log(): readonly LogLine[]
  close(): Promise<void>
}

export interface ReplicasOptions {
  readonly directory: string
  readonly env: Environment
  /** Where the next process is to die; null: nowhere. */
  readonly nextPoint: () => PlannedCrash | null
}

interface Replica {
  readonly service: ServiceProcess
  readonly point: PlannedCrash | null
  readonly ready: Promise<void>
  /** Resolves when it has died as it was to, and the next one was started. */
  readonly gone: Promise<void>
}

const main = new URL('crashing-service.ts', import.meta.url).pathname

/** Starts the first process. */
export function startReplicas({ directory, env, nextPoint }: ReplicasOptions): Replicas {
  const replicas: Replica[] = []
  /** By their ids. */
  const replaced = new Set<number>()
  let url = ''
  let closing = false

  const start = (): void => {
    const point = nextPoint()
    const service = startServiceProcess({ directory, env, main, args: argumentsFor(point) })
    const ready = Promise.all([service.listening, service.logged(/^Ready$/)]).then(([address]) => void (url = address))
    ready.catch(() => undefined)
    const gone = goOnAfter(service, point)
    gone.catch(() => undefined)
    replicas.push({ service, point, ready, gone })
  }
  const goOnAfter = async (service: ServiceProcess, point: CrashPoint | null): Promise<void> => {
    const end = await service.ended
    const isAsPlanned = replaced.has(service.pid) || statementsOf(service).length >= (point?.statement ?? Infinity)
    // One that ends in another way has failed: the next would fail too.
    if (!isAsPlanned || closing) throw new Error(`process ${service.pid}: ${JSON.stringify(end)} ${service.stderr()}`)
    start()
  }
  const replica = (process: number): Replica => {
    const found = replicas[process]
    if (found === undefined) throw new Error(`process ${process} was not started`)
    return found
  }
  const up = async (): Promise<void> => {
    for (;;) {
      const newest = replica(replicas.length - 1)
      try {
        return await newest.ready
      } catch {
        await newest.gone
      }
    }
  }

  start()
  return {
    url: () => url,
    up,
    pointOf: (process) => replicas[process]?.point ?? null,
    gone: (process) => replica(process).gone,
    async replace(process) {
      const { service, gone } = replica(process)
      replaced.add(service.pid)
      await service.kill()
      await gone
      await up()
    },
    async inspect(process) {
      const { service } = replica(process)
      service.signal('SIGUSR2')
      return (await service.logged(/^Inspected$/)) as unknown as Inspection
    },
    statements: (process) => statementsOf(replica(process).service),
    log: () => replicas.flatMap(({ service }) => service.log()),
    async close() {
      closing = true
      await Promise.all(replicas.map(({ service }) => service.kill()))
    },
  }
}

function statementsOf(service: ServiceProcess): readonly string[] {
  const lines = service.log().filter(({ message }) => message === 'Statement')
  return lines.map((line) => String(line['name']))
}

function argumentsFor(point: PlannedCrash | null): readonly string[] {
  if (point === null) return []
  const { statement, moment, phase } = point
  return ['--statement', String(statement), '--moment', moment, ...(phase === 'recovery' ? ['--from-start'] : [])]
}
