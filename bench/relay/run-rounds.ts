import { startChild } from '../child.ts'
import { rotated } from '../rotated.ts'
import type { ClientResult } from './client-process.ts'
import type { ContenderName } from './contender.ts'
import type { Plan, Sample } from './measure.ts'
import { type Arena, openContender } from './open-contender.ts'

/** What one contender did in one round. */
export interface Measurement {
  readonly contender: ContenderName
  readonly sample: Sample
}

/** What came of all rounds. */
export interface Rounds {
  readonly measurements: readonly Measurement[]
  /** Contenders that could not be measured, and why; they are left out from then on. */
  readonly failures: ReadonlyMap<ContenderName, string>
}

/** Who is measured, and how often. */
export interface Course {
  readonly contenders: readonly ContenderName[]
  readonly rounds: number
  readonly plan: Plan
  readonly progress: (line: string) => void
}

const slackMs = 90_000
const clientModule = new URL('./client-process.ts', import.meta.url)

/** Measures every contender once in each round, each time in fresh processes; who begins changes from round to round. */
export async function runRounds({ contenders, rounds, plan, progress }: Course, arena: Arena): Promise<Rounds> {
  const measurements: Measurement[] = []
  const failures = new Map<ContenderName, string>()
  for (let round = 0; round < rounds; round += 1) {
    for (const contender of rotated(contenders, round)) {
      if (failures.has(contender)) continue
      progress(`round ${round + 1} of ${rounds}: ${contender}`)
      const result = await measureOne(contender, plan, arena)
      arena.signal.throwIfAborted()
      if ('failure' in result) failures.set(contender, result.failure)
      else measurements.push({ contender, sample: result.sample })
    }
  }
  return { measurements, failures }
}

async function measureOne(contender: ContenderName, plan: Plan, arena: Arena): Promise<ClientResult> {
  try {
    const opened = await openContender(contender, arena)
    try {
      return await runClient({ site: opened.site, plan }, arena)
    } finally {
      await opened.close()
    }
  } catch (error) {
    arena.signal.throwIfAborted()
    return { failure: error instanceof Error ? error.message : String(error) }
  }
}

async function runClient(task: unknown, { signal }: Arena): Promise<ClientResult> {
  const client = startChild(clientModule, task, { limitMs: slackMs, signal })
  try {
    return (await client.told) as ClientResult
  } finally {
    await client.end()
  }
}
