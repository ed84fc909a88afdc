import type { ConnectionFigures, Database } from './database.ts'
import type { Probe } from './probe.ts'
import { createSizeWatch } from './size-watch.ts'
import type { DatabaseSizes } from './size-watch.ts'

/** What there is to say of the database in numbers. */
export interface DatabaseFigures extends DatabaseSizes {
  readonly kind: 'embedded' | 'postgres'
  /** It has answered within the last seconds. */
  readonly up: boolean
  /** Milliseconds that the latest probe took; null before the first. */
  readonly probeMs: number | null
  /** null: there is no pool. */
  readonly connections: ConnectionFigures | null
}

/** Gathers them while it is started. */
export interface FiguresWatch {
  start(): void
  stop(): void
  /** Costs nothing. */
  read(): DatabaseFigures
}

/** The figures of `database`, whose probe is somebody else's to start. */
export function createFigures(
  database: Database,
  { embedded, probe }: { readonly embedded: boolean; readonly probe: Pick<Probe, 'state' | 'tookMs'> },
): FiguresWatch {
  const sizes = createSizeWatch(database)
  return {
    start: () => sizes.start(),
    stop: () => sizes.stop(),
    read: () => ({
      kind: embedded ? 'embedded' : 'postgres',
      up: probe.state().ok,
      probeMs: probe.tookMs(),
      connections: database.connections?.() ?? null,
      ...sizes.latest(),
    }),
  }
}
