import type { ChaosRun } from './run-chaos.ts'
import { countBy } from './verdict.ts'
import type { Check } from './verdict.ts'

const mostFaultsShown = 5
const longestFault = 400

/** The table that is printed at the end. */
export function writeReport({ evidence, figures, elapsedMs, exitCode }: ChaosRun, checks: readonly Check[]): string {
  const { outcomes, calls, seed } = evidence
  const fates = tally(calls.known.map(({ fate }) => fate))
  const bad = fates.reduce((sum, [fate, count]) => sum + (fate === '200' ? 0 : count), 0)
  const ends = tally(outcomes.map(({ workflow }) => workflow.status))
  const codes = tally(outcomes.flatMap(({ workflow }) => workflow.error?.code ?? []))
  const times = outcomes.map(({ workflow }) => workflow.duration_ms).toSorted((a, b) => a - b)
  const connections = outcomes.reduce((sum, { reading }) => sum + (reading?.connections ?? 0), 0)
  const rows: readonly (readonly [string, string])[] = [
    ['seed', String(seed)],
    ['workflows', `${outcomes.length}: ${list(ends)}`],
    ['errors', codes.length === 0 ? 'none' : list(codes)],
    [
      'model calls',
      `${calls.known.length}, ${((100 * bad) / Math.max(1, calls.known.length)).toFixed(1)} % of them faulty or slow: ${list(fates)}`,
    ],
    ['time', `${(elapsedMs / 1000).toFixed(1)} s, ${(outcomes.length / (elapsedMs / 1000)).toFixed(1)} workflows/s`],
    ['a workflow', `p50 ${at(times, 0.5)} ms, p95 ${at(times, 0.95)} ms, longest ${at(times, 1)} ms`],
    ['cut streams', `${connections} connections`],
    ...(figures === null ? [] : figureRows(figures)),
    ['exit of the service', String(exitCode)],
  ]
  return `${rows.map(([name, text]) => `${name.padEnd(21)}${text}\n`).join('')}\n${checks.map(checkText).join('')}`
}

function figureRows(figures: NonNullable<ChaosRun['figures']>): readonly (readonly [string, string])[] {
  const { heapStart, heapPeak, heapEnd, memoryPeak, slowestAnswerMs } = figures
  return [
    ['heap', `${megabytes(heapStart)} at the start, ${megabytes(heapPeak)} at most, ${megabytes(heapEnd)} at the end`],
    ['resident memory', `${megabytes(memoryPeak)} at most`],
    ['slowest /metrics', `${Math.round(slowestAnswerMs)} ms`],
  ]
}

/** A check, with the first of its faults. */
export function checkText({ name, looked, faults }: Check): string {
  const shown = faults.slice(0, mostFaultsShown).map((fault) => `       ${fault.slice(0, longestFault)}\n`)
  return `${faults.length === 0 ? 'ok    ' : 'FAULT '} ${name} (${faults.length} of ${looked})\n${shown.join('')}`
}

/** How often each name comes, in the order of the names. */
export function tally(names: readonly string[]): readonly (readonly [string, number])[] {
  return [...countBy(names, String)].toSorted(([a], [b]) => a.localeCompare(b))
}

/** Counts as a text. */
export function list(counts: readonly (readonly [string, number])[]): string {
  return counts.map(([name, count]) => `${name} ${count}`).join(', ')
}

function at(sorted: readonly number[], share: number): number {
  return Math.round(sorted[Math.ceil(share * sorted.length) - 1] ?? 0)
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(0)} MB`
}
