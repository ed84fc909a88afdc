import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { AppError } from '../../src/errors.ts'
import { hasEnded } from '../../src/workflows/workflow.ts'
import { customStep } from '../support/engine-fixture.ts'
import type { EngineBench } from '../support/engine-fixture.ts'
import { cancel, resume } from './engine-contenders.ts'
import type { Contender, Verdict } from './engine-contenders.ts'
import type { EngineSite } from './engine-site.ts'
import { callerOf, expectWhole, finish, startTry } from './engine-try.ts'
import type { Try, TryRequest } from './engine-try.ts'
import { nameOf } from './engine-watch.ts'

const rounds = 2
const triesPerRound = 10
const spreadMs = 30
const steps = [customStep('a'), customStep('b < a'), customStep('c')]

interface KillRace {
  readonly name: string
  readonly request: TryRequest
  readonly until: string
  readonly verb: Contender
  /** What is lawful of the answer, or of that to its repetition when it was lost, and how it ends. */
  readonly lawful: readonly string[]
}

const killRaces: readonly KillRace[] = [
  {
    name: 'cancel and the death of who runs it',
    request: { steps, answers: { a: ['held'] } },
    until: 'step.started a',
    verb: cancel,
    lawful: ['202 cancelled', 'lost, 202 cancelled', 'lost, 200 cancelled'],
  },
  {
    name: 'resume and the death of who takes it',
    request: { steps, answers: { a: ['broken', 'work'] } },
    until: 'workflow.failed',
    verb: resume,
    lawful: ['202 completed', 'lost, 202 completed', 'lost, 409 completed'],
  },
]

async function ask(one: Try, verb: Contender): Promise<Verdict | 'lost'> {
  try {
    return await verb(one, callerOf(one, 'verb'))
  } catch (error) {
    if (error instanceof AppError && error.code === 'unavailable') return 'lost'
    throw error
  }
}

/** Whoever is left goes on with what the dead one held. */
async function takeOver(site: EngineSite, survivor: EngineBench, tries: readonly Try[]): Promise<void> {
  // On a database of its own the next process takes everything back at its start.
  if (!site.shared) return survivor.engine.start()
  const isUnclaimed = async ({ id }: Try) => {
    const state = await site.storage(1).store.load(id)
    return state !== null && !hasEnded(state.status)
  }
  const waiting = async () => {
    const open = await Promise.all(tries.map(isUnclaimed))
    if (open.includes(true)) await site.lapseJobs()
    return open.includes(true)
  }
  for (const { latch } of tries) latch.open()
  await expect.poll(waiting, { timeout: 20_000, interval: 300 }).toBe(false)
}

async function killOnce(site: EngineSite, { request, until, verb }: KillRace): Promise<readonly string[]> {
  const dying = await site.openBench()
  const survivor = await site.openBench({}, site.shared ? 1 : 0)
  const benches = [dying]
  await dying.engine.start()
  const started = Array.from({ length: triesPerRound }, () => startTry(site, benches, request))
  const tries = await Promise.all(started)
  await Promise.all(tries.map(({ id }) => site.watch.until(id, (event) => nameOf(event) === until)))
  if (site.shared) {
    await survivor.engine.start()
    benches.push(survivor)
  }
  const killed = delay(Math.random() * spreadMs).then(() => dying.kill())
  const soon = async (one: Try) => {
    await delay(Math.random() * spreadMs)
    return ask(one, verb)
  }
  const first = await Promise.all(tries.map(soon))
  await killed
  benches.splice(0, benches.length, survivor)
  const answers = first.map(async (answer, n) => {
    const one = tries[n]
    if (one === undefined || answer !== 'lost') return answer
    return `lost, ${await ask(one, verb)}`
  })
  const told = await Promise.all(answers)
  await takeOver(site, survivor, tries)
  const ends = await Promise.all(tries.map(finish))
  for (const one of tries) await expectWhole(one)
  await site.expectNothingLeft()
  expect([...dying.defects, ...survivor.defects]).toEqual([])
  return ends.map((end, n) => `${told[n]} ${end}`)
}

/** A verb and a death at the same time: who is left finds one of two states, and goes on from there. */
export function describeKills(site: EngineSite): void {
  describe('of two that race', () => {
    it.each(killRaces)('$name: nothing is lost', async (race) => {
      for (let round = 0; round < rounds; round += 1) {
        for (const outcome of await killOnce(site, race)) expect(race.lawful).toContain(outcome)
      }
    })
  })
}
