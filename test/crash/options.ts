import { parseArgs } from 'node:util'
import type { PointRange } from './run-points.ts'

export type DatabaseName = 'pglite' | 'postgres'

/** What the command line asks for. */
export interface CrashOptions {
  readonly databases: readonly DatabaseName[]
  readonly ranges: readonly PointRange[]
}

/** Statements after which a process that goes on does what any other does. */
const longestRecovery = 12

/** Reads the command line. Throws what is wrong with it. */
export function parseCrashOptions(args: readonly string[]): CrashOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      database: { type: 'string', default: 'both' },
      from: { type: 'string', default: '1' },
      every: { type: 'string', default: '1' },
      moments: { type: 'string', default: 'both' },
      phase: { type: 'string', default: 'both' },
    },
  })
  const { moments } = values
  if (moments !== 'both' && moments !== 'one') throw new Error(`--moments takes both or one, not "${moments}".`)
  const [from, every] = [wholeNumber('--from', values.from), wholeNumber('--every', values.every)]
  const tries = Math.ceil((longestRecovery + 1 - from) / every) * (moments === 'both' ? 2 : 1)
  const limits = { run: Number.POSITIVE_INFINITY, recovery: Math.max(0, tries) }
  return {
    databases: databasesOf(values.database),
    ranges: phasesOf(values.phase).map((phase) => ({ phase, from, every, moments, limit: limits[phase] })),
  }
}

function phasesOf(name: string): readonly PointRange['phase'][] {
  if (name === 'both') return ['run', 'recovery']
  if (name === 'run' || name === 'recovery') return [name]
  throw new Error(`--phase takes run, recovery or both, not "${name}".`)
}

function databasesOf(name: string): readonly DatabaseName[] {
  if (name === 'both') return ['pglite', 'postgres']
  if (name === 'pglite' || name === 'postgres') return [name]
  throw new Error(`--database takes pglite, postgres or both, not "${name}".`)
}

function wholeNumber(name: string, text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new Error(`${name} must be a whole number from 1, not "${text}".`)
  return Number(text)
}
