import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { postgresForTests } from '../contract/postgres-server.ts'
import { customStep } from '../support/engine-fixture.ts'
import { openFleet } from './fleet.ts'
import type { Fleet } from './fleet.ts'
import { logRunning, runningFigures } from './running-log.ts'
import { atMost, between, report, wantedSize } from './size.ts'
import type { Finding } from './size.ts'
import { createWorld } from './world.ts'

const server = await postgresForTests()
const share = 2
const one = [customStep('only')]

let fleet: Fleet | null = null

afterEach(async () => {
  await fleet?.close()
  fleet = null
})
afterAll(async () => {
  await server?.stop()
})

const isFetch = (text: string): boolean => text.includes('SKIP LOCKED') && text.includes('pgboss')

async function open(database: string, agents: number): Promise<Fleet> {
  const url = database === 'PGlite' ? null : ((await server?.createDatabase()) ?? '')
  fleet = await openFleet(url, { maxConcurrentAgents: agents, maxConcurrentWorkflowsPerOwner: share })
  return fleet
}

async function startMany({ start }: Fleet, owner: string, count: number): Promise<readonly string[]> {
  const ids: string[] = []
  while (ids.length < count) ids.push(...(await Promise.all([1, 2, 3, 4].map(() => start(owner, one)))))
  return ids
}

async function left({ query }: Fleet, owner: string): Promise<number> {
  const text = 'SELECT count(*)::integer AS n FROM agents.workflows WHERE active AND owner = $1'
  return (await query<{ n: number }>(text, [owner])).rows[0]?.n ?? -1
}

/** A time, so it is looked at where the machine has nothing else to do: a replica that nothing wakes looks after 500 ms. */
function refillOf(shortMs: number): readonly Finding[] {
  if (process.env['FAIRNESS_REPORT'] === undefined) return []
  return [atMost('milliseconds until what was given back is used again, median', 400, shortMs)]
}

function expectKept(database: string, scenario: string, findings: readonly Finding[]): void {
  report(findings.map((finding) => ({ database, scenario, ...finding })))
  for (const { what, promised, seen, isKept } of findings)
    expect.soft(isKept, `${what}: ${seen}, promised ${promised}`).toBe(true)
}

describe.each(['PGlite', 'Postgres'])('a share of two workflows a key, on %s', (database) => {
  const replicas = database === 'PGlite' ? 'one engine' : 'three engines'
  const { backlog } = wantedSize(database)
  const isAway = database === 'Postgres' && !server

  test.skipIf(isAway)(
    'is never exceeded and is used up; another key is not held up by it',
    { timeout: 120_000 },
    async () => {
      const all = await open(database, 3)
      await logRunning(all.query)
      all.model.answerWith(async () => {
        await sleep(20)
        return 'ok'
      })
      await startMany(all, 'many', Math.min(backlog, 200))
      for (const { engine } of all.benches) await engine.start()
      await startMany(all, 'other', 8)
      const timeout = 60_000
      await expect.poll(() => left(all, 'other'), { timeout }).toBe(0)
      const waiting = await left(all, 'many')
      await expect.poll(() => left(all, 'many'), { timeout }).toBe(0)
      const many = await runningFigures(all.query, ['many', share])
      const other = await runningFigures(all.query, ['other', share])
      const again = await all.query<{ n: number }>(
        `SELECT max(retry_count)::integer AS n FROM pgboss.job WHERE name = 'activation'`,
      )
      expectKept(database, `a share of ${share} a key, ${replicas}`, [
        between('most that were run at any moment', [share, share], many.most),
        between('most of the other key', [1, share], other.most),
        ...refillOf(many.shortMs),
        between('that still wait when the other key is served', [1, backlog], waiting),
        between('retries that being put back has used up', [0, 0], again.rows[0]?.n ?? -1),
      ])
      expect(all.benches.flatMap(({ defects }) => defects)).toEqual([])
    },
  )

  test.skipIf(isAway)('that is used up is not asked for again and again', { timeout: 120_000 }, async () => {
    const all = await open(database, 10)
    const held = Promise.withResolvers<'ok'>()
    all.model.answerWith(() => held.promise)
    for (const { engine } of all.benches) await engine.start()
    const world = createWorld(all.storage)
    await world.submitMany('many', share)
    await expect.poll(() => all.model.running, { timeout: 30_000 }).toBe(share)
    await world.submitMany('many', Math.min(backlog * 5, 1000))
    const rounds = 4 * all.benches.length
    const fetches = () => all.statements.filter(isFetch).length
    const first = fetches()
    await expect.poll(() => fetches() - first, { timeout: 30_000 }).toBeGreaterThan(all.benches.length)
    const [began, before, said] = [performance.now(), fetches(), all.statements.length]
    await expect.poll(() => fetches() - before, { timeout: 30_000, interval: 100 }).toBeGreaterThanOrEqual(rounds)
    const perEngine = ((performance.now() - began) / 1000) * all.benches.length
    const perSecond = (count: number) => Math.round((count / perEngine) * 10) / 10
    const asked = all.statements.slice(said).filter((text) => text.includes('take_share')).length
    expectKept(database, `${Math.min(backlog * 5, 1000)} that may not run, ${replicas}`, [
      atMost('looks into the queue a second and engine', 4, perSecond(fetches() - before)),
      atMost('statements a second and engine', 20, perSecond(all.statements.length - said)),
      between('of them to be let in', [0, 0], asked),
      between('that are run', [share, share], all.model.running),
    ])
    await world.submit('other')
    await expect.poll(() => all.model.running, { timeout: 30_000 }).toBe(share + 1)
    held.resolve('ok')
    await expect.poll(() => left(all, 'other'), { timeout: 30_000 }).toBe(0)
  })
})

test.skipIf(!server)(
  'who takes over from a lost process is let in by the share that this one had',
  async () => {
    const all = await open('Postgres', 10)
    const [lost, ...others] = all.benches
    all.model.answerWith(() => new Promise(() => undefined))
    await lost?.engine.start()
    await createWorld(all.storage).submitMany('many', 4)
    await expect.poll(() => lost?.engine.held(), { timeout: 10_000 }).toBe(share)
    await expect.poll(() => all.model.running, { timeout: 10_000 }).toBe(share)
    await lost?.kill()
    for (const { engine } of others) await engine.start()
    all.model.answerWith(() => 'ok')
    await all.query(`UPDATE pgboss.job SET heartbeat_on = now() - interval '1 minute' WHERE state = 'active'`)
    await all.storage.queue.supervise()
    await expect.poll(() => left(all, 'many'), { timeout: 30_000 }).toBe(0)
    const again = `SELECT count(*)::integer AS n FROM pgboss.job WHERE name = 'activation' AND retry_count > 0`
    expect((await all.query<{ n: number }>(again)).rows[0]?.n).toBe(share)
  },
  60_000,
)
