import { rotated } from '../rotated.ts'
import type { ContenderName } from './contender.ts'
import type { LivezAnswer } from './livez.ts'
import type { Sample, Window } from './measure.ts'
import type { BenchOptions } from './options.ts'
import { type Arena, runContender } from './run-contender.ts'

/** What one contender did in one round. */
export interface Measurement {
  readonly contender: ContenderName
  readonly alone: Sample
  readonly together: Sample
  /** Answers to `/livez` while many were in flight. */
  readonly livez: readonly LivezAnswer[]
}

/** What came of all rounds. */
export interface Rounds {
  readonly measurements: readonly Measurement[]
  /** Contenders that could not be measured, and why; they are left out from then on. */
  readonly failures: ReadonlyMap<ContenderName, string>
}

/** The windows of a round: one at a time, then many; the first warms up code and caches for both. */
export function windowsOf({ seconds, inFlight }: Pick<BenchOptions, 'seconds' | 'inFlight'>): readonly Window[] {
  const windowMs = seconds * 1_000
  return [
    { inFlight: 1, warmUpMs: 1_000, windowMs },
    { inFlight, warmUpMs: 500, windowMs },
  ]
}

/** Measures every contender once in each round, each time in a fresh process; who begins changes from round to round. */
export async function runRounds(options: BenchOptions, arena: Arena): Promise<Rounds> {
  const measurements: Measurement[] = []
  const failures = new Map<ContenderName, string>()
  for (let round = 0; round < options.rounds; round += 1) {
    for (const contender of rotated(options.contenders, round)) {
      if (failures.has(contender)) continue
      arena.progress(`round ${round + 1} of ${options.rounds}: ${contender}`)
      const bout = { contender, outputBytes: options.outputBytes, chain: null, windows: windowsOf(options) }
      const result = await runContender(arena, bout)
      arena.signal.throwIfAborted()
      if ('failure' in result) failures.set(contender, result.failure)
      else measurements.push(measurementOf(contender, result))
    }
  }
  return { measurements, failures }
}

function measurementOf(
  contender: ContenderName,
  { samples, livez }: { readonly samples: readonly Sample[]; readonly livez: readonly LivezAnswer[] },
): Measurement {
  const [alone, together] = samples
  if (alone === undefined || together === undefined) throw new Error(`${contender} told too few samples.`)
  const meanwhile = livez.filter(({ at }) => at >= together.from && at <= together.to)
  return { contender, alone, together, livez: meanwhile }
}
