import { spreadOf } from '../statistics.ts'
import { contenderFacts, type ContenderName, isPeer } from './contender.ts'
import { atFraction, type Sample } from './measure.ts'
import type { Measurement } from './run-rounds.ts'

const mostMs = 9
const leastRunsPerSecond = 250
const mostCommits = 12
const leastRunsOnPglite = 80
const mostLivezMs = 10

/** One line for each goal, met or not; nothing about a goal whose contenders were not measured. */
export function goalLines(measurements: readonly Measurement[], inFlight: number): readonly string[] {
  const medianOf = (name: ContenderName, figure: (one: Measurement) => number | null) => {
    const own = measurements.filter(({ contender }) => contender === name)
    return spreadOf(own.map(figure).filter((value) => value !== null))?.median ?? null
  }
  const rateOf = (name: ContenderName) => medianOf(name, ({ together }) => together.runs / together.seconds)
  const ours = rateOf('ours')
  return [
    atMost('p50 on Postgres, one at a time', [medianOf('ours', ({ alone }) => alone.p50), mostMs, 'ms']),
    atLeast(`throughput on Postgres, ${inFlight} in flight`, [ours, leastRunsPerSecond, 'runs/s']),
    ...peersOnPostgres(measurements).map((name) =>
      atLeast(`throughput of ${name}`, [ours, rateOf(name) ?? 0, 'runs/s']),
    ),
    atMost('commits a run, one at a time', [medianOf('ours', ({ alone }) => commitsOf(alone)), mostCommits, '']),
    atLeast('throughput on PGlite', [rateOf('ours-pglite'), leastRunsOnPglite, 'runs/s']),
    atMost(`p99 of /livez on PGlite, ${inFlight} in flight`, [medianOf('ours-pglite', livezP99), mostLivezMs, 'ms']),
  ].filter((one) => one !== null)
}

function peersOnPostgres(measurements: readonly Measurement[]): readonly ContenderName[] {
  const names = new Set(measurements.map(({ contender }) => contender))
  return [...names].filter((name) => isPeer(name) && contenderFacts[name].store === 'postgres').toSorted()
}

function commitsOf({ counts, runs }: Sample): number | null {
  return counts === null ? null : counts.commits / runs
}

function livezP99({ livez }: Measurement): number | null {
  if (livez.length === 0) return null
  return atFraction(
    livez.map(({ ms }) => ms).toSorted((a, b) => a - b),
    0.99,
  )
}

type Figure = readonly [value: number | null, limit: number, unit: string]

function atMost(what: string, [value, limit, unit]: Figure): string | null {
  return value === null ? null : line(`at most: ${what}`, [value, limit, unit], value <= limit)
}

function atLeast(what: string, [value, limit, unit]: Figure): string | null {
  return value === null ? null : line(`at least: ${what}`, [value, limit, unit], value >= limit)
}

function line(what: string, [value, limit, unit]: readonly [number, number, string], met: boolean): string {
  const end = unit === '' ? '' : ` ${unit}`
  return `Goal, ${what}: ${limit.toFixed(1)}${end}; seen ${value.toFixed(1)}${end}, ${met ? 'met' : 'NOT met'}`
}
