import { expect } from 'vitest'
import { placeOf } from './report.ts'
import type { CaseResult } from './run-chain.ts'
import { runPoints } from './run-points.ts'
import type { RunPointsOptions } from './run-points.ts'

/** Tries the points and fails on what any of them has broken. */
export async function expectNoFaults(
  options: Omit<RunPointsOptions, 'onCase' | 'stop'>,
  stop: AbortSignal,
): Promise<readonly CaseResult[]> {
  const results: CaseResult[] = []
  await runPoints({ ...options, onCase: (result) => results.push(result), stop })
  expect(results.flatMap((result) => result.faults.map((fault) => `${placeOf(result)}: ${fault}`))).toEqual([])
  return results.filter(({ reached }) => reached)
}
