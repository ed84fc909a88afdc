import type { ClientName } from './bench-client.ts'
import type { Spread } from '../statistics.ts'

const mostTimesPipe = 1.5
const leastTimesCheaper = 2

/** One line for each goal, met or not; nothing about a goal whose clients were not measured. */
export function goalLines(costs: ReadonlyMap<ClientName, Spread>): readonly string[] {
  const ours = costs.get('ours')
  const pipe = costs.get('pipe')
  const sdk = costs.get('sdk')
  if (ours === undefined) return []
  const lines: string[] = []
  if (pipe !== undefined) {
    const ratio = ours.median / pipe.median
    const goal = `at most ${mostTimesPipe} times the byte pipe`
    lines.push(`Goal: ${goal}: ${ratio.toFixed(2)} times, ${verdict(ratio <= mostTimesPipe)}`)
  }
  if (sdk !== undefined) {
    const ratio = sdk.median / ours.median
    const goal = `at least ${leastTimesCheaper} times cheaper than the SDK's iterator`
    lines.push(`Goal: ${goal}: ${ratio.toFixed(2)} times, ${verdict(ratio >= leastTimesCheaper)}`)
  }
  return lines
}

function verdict(met: boolean): string {
  return met ? 'met' : 'NOT met'
}
