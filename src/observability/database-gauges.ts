import type { DatabaseFigures } from '../storage/database-figures.ts'
import type { AddGauge } from './gauge-adder.ts'

type Figure = (figures: DatabaseFigures) => number | null

/** Adds the gauges of the database. What is not known, or not told to this user of the database, has no sample. */
export function addDatabaseGauges(add: AddGauge, figures: () => DatabaseFigures): void {
  const addFigure = (name: string, help: string, figure: Figure): void =>
    add({
      name,
      help,
      grows: name.endsWith('_total'),
      read: (set) => {
        const value = figure(figures())
        if (value !== null) set({}, value)
      },
    })
  add({
    name: 'database_info',
    help: 'Which database this is: embedded or postgres.',
    labelNames: ['kind'],
    read: (set) => set({ kind: figures().kind }, 1),
  })
  addFigure('database_up', 'The database answered within the last seconds: 1 or 0.', ({ up }) => (up ? 1 : 0))
  addFigure(
    'database_probe_duration_seconds',
    'How long the latest of the questions took that the database is asked once a second.',
    ({ probeMs }) => seconds(probeMs),
  )
  addFigure('database_size_bytes', 'Size of the database, as of a minute ago at most.', ({ sizeBytes }) => sizeBytes)
  addFigure(
    'database_wal_size_bytes',
    'Size of the write-ahead log that is kept, as of a minute ago at most; absent where it may not be asked for.',
    ({ walSizeBytes }) => walSizeBytes,
  )
  addFigure(
    'database_wal_written_bytes_total',
    'Write-ahead log that the whole server has ever written, as of a minute ago at most.',
    ({ walWrittenBytes }) => walWrittenBytes,
  )
  add({
    name: 'database_pool_connections',
    help: 'Connections of this replica to its Postgres, by state: busy or idle.',
    labelNames: ['state'],
    read: (set) => {
      const { connections } = figures()
      if (connections === null) return
      set({ state: 'busy' }, connections.open - connections.idle)
      set({ state: 'idle' }, connections.idle)
    },
  })
  addFigure(
    'database_pool_limit',
    'Most connections that this replica may have to its Postgres.',
    ({ connections }) => connections?.limit ?? null,
  )
  addFigure(
    'database_pool_waiting',
    'Statements and transactions that wait for a connection to Postgres.',
    ({ connections }) => connections?.waiting ?? null,
  )
}

function seconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1_000
}
