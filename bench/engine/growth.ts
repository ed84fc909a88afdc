import type { Sample, Window } from './measure.ts'
import type { BenchOptions } from './options.ts'
import { type Arena, type Bout, runContender } from './run-contender.ts'
import { storeWorkflows } from './stored-workflows.ts'

/** This service's work with one thing changed. */
export interface GrowthRow {
  readonly title: string
  /** One at a time and many in flight, or why there is none. */
  readonly result: { readonly alone: Sample; readonly together: Sample } | string
}

const chainLengths = [1, 6, 24]
const outputSizes = [2_048, 20_480, 204_800]
const windowMs = 1_500
const warmUpMs = 500

/** Measures this service with more steps, larger texts and more stored workflows. */
export async function measureGrowth(options: BenchOptions, arena: Arena): Promise<readonly GrowthRow[]> {
  const windows = [1, options.inFlight].map((inFlight): Window => ({ inFlight, warmUpMs, windowMs }))
  const { outputBytes } = options
  const six: Bout = { contender: 'ours', outputBytes, chain: null, windows }
  const wanted: readonly (readonly [string, Bout])[] = [
    ...chainLengths.map((chain) => [`${chain} steps, one after the other`, { ...six, chain }] as const),
    ...outputSizes.map((bytes) => [`six steps, texts of ${bytes / 1_024} kB`, { ...six, outputBytes: bytes }] as const),
    ...options.stored.map((count) => {
      const prepare = (databaseUrl: string) => storeWorkflows(databaseUrl, count)
      return [`six steps, ${count} workflows stored`, { ...six, prepare }] as const
    }),
  ]
  const rows: GrowthRow[] = []
  for (const [title, bout] of wanted) {
    arena.progress(`growth: ${title}`)
    rows.push({ title, result: await resultOf(arena, bout) })
    arena.signal.throwIfAborted()
  }
  return rows
}

async function resultOf(arena: Arena, bout: Bout): Promise<GrowthRow['result']> {
  const result = await runContender(arena, bout)
  if ('failure' in result) return result.failure
  const [alone, together] = result.samples
  return alone === undefined || together === undefined ? 'too few samples' : { alone, together }
}
