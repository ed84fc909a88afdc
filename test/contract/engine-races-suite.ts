import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { LifecycleEvent } from '../../src/workflows/events.ts'
import { customStep } from '../support/engine-fixture.ts'
import type { EngineBench, EngineBenchOptions } from '../support/engine-fixture.ts'
import { resume } from './engine-contenders.ts'
import type { Contender, Verdict } from './engine-contenders.ts'
import { races } from './engine-races.ts'
import type { Race } from './engine-races.ts'
import type { EngineSite } from './engine-site.ts'
import { callerOf, expectRead, expectStored, finish, startTry } from './engine-try.ts'
import type { Try, TryRequest } from './engine-try.ts'
import { nameOf } from './engine-watch.ts'

const tries = Number(process.env['RACE_TRIES'] ?? 20)
const triesAtOnce = 10
const spreadMs = 12
const stepMs = 8
/** So many tries are also read as a client reads them, which costs more than they do themselves. */
const readTries = 5

/** By how much the first one begins later; whoever has come first begins later the next time, until they are even. */
interface Handicap {
  ms: number
}

type Verdicts = readonly [Verdict, Verdict]

/** The first two tries are no races: each order comes once for sure. */
async function contend(one: Try, { contenders }: Race, at: { n: number; handicap: Handicap }): Promise<Verdicts> {
  const go = (contender: Contender, side: string) => contender(one, callerOf(one, side))
  const [first, second] = contenders
  if (at.n === 0) return [await go(first, 'first'), await go(second, 'second')]
  if (at.n === 1) {
    const verdict = await go(second, 'second')
    return [await go(first, 'first'), verdict]
  }
  const later = (ms: number) => delay(Math.max(0, ms) + Math.random() * spreadMs)
  const { ms } = at.handicap
  return Promise.all([later(ms).then(() => go(first, 'first')), later(-ms).then(() => go(second, 'second'))])
}

/** What was accepted is in the log, and what was refused is not. */
async function expectTold(one: Try, [first, second]: Verdicts): Promise<readonly LifecycleEvent[]> {
  const events = await expectStored(one)
  const traces = (side: string) =>
    events.filter(({ correlationId }) => correlationId === callerOf(one, side).correlationId)
  for (const [side, verdict] of [
    ['first', first],
    ['second', second],
  ] as const) {
    if (verdict !== '-') expect([side, verdict, traces(side).length > 0]).toEqual([side, verdict, verdict === '202'])
  }
  return events
}

async function firstStepOf({ id }: Try, { storage }: Pick<EngineSite, 'storage'>): Promise<string> {
  const state = await storage().store.load(id)
  return `, a ${state?.steps[0]?.status}`
}

interface Trying {
  readonly race: Race
  readonly n: number
  readonly handicap: Handicap
}

async function tryOnce(site: EngineSite, benches: readonly EngineBench[], { race, n, handicap }: Trying) {
  const one = await startTry(site, benches, race.request)
  for (const name of race.until) await site.watch.until(one.id, (event) => nameOf(event) === name)
  const verdicts = await contend(one, race, { n, handicap })
  const end = await finish(one)
  const outcome = `${verdicts.join(' ')} ${end}${end === 'gone' ? '' : await firstStepOf(one, site)}`
  if (!race.lawful.includes(outcome)) throw new Error(`try ${n} of ${one.id} came out as ${outcome}`)
  const events = end === 'gone' ? [] : await expectTold(one, verdicts)
  if (end !== 'gone' && n < readTries) await expectRead(one)
  const isFirst = race.isFirst?.(events) ?? outcome === race.lawful[0]
  if (n > 1) handicap.ms += isFirst ? stepMs : -stepMs
  expect(site.script.asked(one.correlationId).length).toBeLessThanOrEqual(race.mostCalls)
  return outcome
}

/** Runs a race again and again; how often it came out how. */
export async function runRace(
  site: EngineSite,
  race: Race,
  { times, atOnce }: { readonly times: number; readonly atOnce: number },
): Promise<Readonly<Record<string, number>>> {
  const benches = await site.openWorking(race.bench)
  const outcomes: Record<string, number> = {}
  const handicap = { ms: race.leadMs ?? 0 }
  const left = Array.from({ length: times }, (_, n) => n)
  const work = async () => {
    for (let n = left.shift(); n !== undefined; n = left.shift()) {
      const outcome = await tryOnce(site, benches, { race, n, handicap })
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  await site.expectNothingLeft()
  expect(benches.flatMap(({ defects }) => defects)).toEqual([])
  return outcomes
}

/** Whoever is later finds what the earlier one has left, and is answered for that. */
export function describeRaces(site: EngineSite): void {
  describe('of two that race', () => {
    it.each(races)('$name, one comes first', async (race) => {
      const outcomes = await runRace(site, race, { times: tries, atOnce: triesAtOnce })
      expect(Object.keys(outcomes).length).toBeLessThanOrEqual(race.lawful.length)
      if (process.env['RACE_OUTCOMES']) process.stdout.write(`${race.name}: ${JSON.stringify(outcomes)}\n`)
    })

    it('a delete that a resume overtakes is refused for what the workflow is by then', async () => {
      const request: TryRequest = { steps: [customStep('a')], answers: { a: ['broken', 'held'] } }
      const resumeFirst: EngineBenchOptions['store'] = (real) => ({
        ...real,
        async remove(id) {
          await resume(one, callerOf(one, 'first'))
          return real.remove(id)
        },
      })
      const [bench, ...others] = await site.openWorking({ store: resumeFirst })
      if (bench === undefined) throw new Error('there is no replica')
      const one = await startTry(site, [bench, ...others], request)
      await site.watch.until(one.id, ({ type }) => type === 'workflow.failed')
      await expect(bench.service.remove(one.ref)).rejects.toMatchObject({
        code: 'conflict',
        details: { state: { status: expect.stringMatching(/^(queued|running)$/) } },
      })
      expect(await finish(one)).toBe('completed')
      await expectStored(one)
    })
  })
}
