import { goalLines } from '../goal.ts'
import { spreadOf } from '../statistics.ts'
import { formatTable } from '../table.ts'
import type { CpuSample, MemorySample } from './measure.ts'

/** What was seen in one round. */
export interface IdleSample {
  readonly cpu: CpuSample
  readonly memory: MemorySample
}

/** This service, on Postgres or on PGlite in its own process. */
export type IdleContender = 'ours' | 'ours-pglite'

type Figure = (sample: IdleSample) => number

/** The table, and whether the goals are met. */
export function writeReport(samples: ReadonlyMap<IdleContender, readonly IdleSample[]>, streams: number): string {
  const perStream: Figure = ({ memory }) => (memory.during.residentKb - memory.before.residentKb) / streams
  const figures: readonly (readonly [string, Figure])[] = [
    ['memory per stream, KB', perStream],
    ['of it used by JavaScript, KB', ({ memory: { before, during } }) => (during.heapKb - before.heapKb) / streams],
    ['CPU with the streams, % of a core', openCpu],
    ['CPU without, % of a core', ({ cpu }) => 100 * cpu.idleCpu],
    ['heartbeats in the window, per stream', ({ cpu }) => cpu.heartbeats / streams],
    ['memory without streams, MB', ({ memory }) => memory.before.residentKb / 1_024],
    ['memory with them, MB', ({ memory }) => memory.during.residentKb / 1_024],
    ['memory when they have left, MB', ({ memory }) => memory.after.residentKb / 1_024],
    ['opening all of them, ms', ({ cpu }) => cpu.openingMs],
  ]
  const cellOf = (name: IdleContender, figure: Figure) => {
    const spread = spreadOf((samples.get(name) ?? []).map(figure))
    return spread === null ? '' : `${shortly(spread.median)} (${shortly(spread.least)}–${shortly(spread.most)})`
  }
  const rows = figures.map(([title, figure]) => [title, cellOf('ours', figure), cellOf('ours-pglite', figure)])
  const medianOf = (figure: Figure) => {
    const of = samples.get('ours') ?? samples.get('ours-pglite') ?? []
    return spreadOf(of.map(figure))?.median ?? null
  }
  const goals = goalLines([
    { what: 'memory per open stream', value: medianOf(perStream), limit: 30, unit: ' KB' },
    { what: 'CPU with heartbeats', value: medianOf(openCpu), limit: 5, unit: ' % of a core' },
  ])
  return `${formatTable(['', 'on Postgres', 'on PGlite'], rows)}\n\n${notes}\n\n${goals.join('\n')}\n`
}

const openCpu: Figure = ({ cpu }) => 100 * cpu.openCpu

function shortly(value: number): string {
  return value.toFixed(value < 100 ? 1 : 0)
}

const notes = [
  'Memory is what is resident of the whole process, each time after its garbage was collected; per stream: its growth',
  'since before they were opened, when 200 had been opened and had left. CPU is that of the whole process, from some',
  'seconds after the opening on. Both on PGlite with the embedded database, which grows by what 5 000 readers read.',
  'Every round starts one process for CPU and one for memory.',
].join('\n')
