import { expect } from 'vitest'
import type { Candidates } from '../../../src/llm/model.ts'
import { collect, firstTry, neverAborted, nextTry, plainRequest } from '../llm-fixture.ts'
import { until } from '../watched-clock.ts'
import { type FaultCase, row, type Scene } from './fault-case.ts'
import { answers, openPair, type Pair } from './several-endpoints.ts'

const { target } = plainRequest
const patient = { breaker: { threshold: 1_000_000, openMs: 1, halfOpen: 1 } }

interface Storm {
  waiting: number
  ended: number
}

/** Tries again, as soon as it may, until it has an answer. */
async function persist({ client }: Scene, storm: Storm): Promise<void> {
  let candidates: Candidates = firstTry(target)
  for (;;) {
    storm.waiting += 1
    await client.whenReady(candidates, neverAborted)
    storm.waiting -= 1
    const permit = client.admit(candidates)
    if (typeof permit === 'string') continue
    const { failure } = await collect(client.stream({ ...plainRequest, permit }, neverAborted))
    permit.release()
    if (failure === null) break
    candidates = nextTry(target)
  }
  storm.ended += 1
}

async function standstill(storm: Storm, runs: number): Promise<void> {
  // those whom the clock has woken are on their way now
  await new Promise((resolve) => setImmediate(resolve))
  await until(() => storm.waiting + storm.ended === runs)
}

function admittedAt({ client }: Pair, candidates: Candidates, times: number): string {
  const permits = Array.from({ length: times }, () => client.admit(candidates))
  return permits.map((permit) => (typeof permit === 'string' ? permit : permit.target.endpoint)).join(' ')
}

/** Many calls at once. */
export const stormRows: readonly FaultCase[] = [
  ...row(
    'retry storm',
    {
      form: '50 runs at a dying server: a fifth of the calls may be retries, the rest wait and come through',
      options: patient,
      plays: async (scene) => {
        const { server, clock } = scene
        const storm: Storm = { waiting: 0, ended: 0 }
        server.answerWith(() => ({ status: 500 }))
        const runs = Array.from({ length: 50 }, () => persist(scene, storm))
        await standstill(storm, 50)
        // 50 first tries allow 10 retries, which are calls and allow 2 more
        expect([server.calls.length, storm]).toEqual([62, { waiting: 50, ended: 0 }])
        clock.advance(59_999)
        await standstill(storm, 50)
        expect(server.calls).toHaveLength(62)
        server.answerWith(() => 'well again')
        for (let minute = 1; storm.ended < 50 && minute <= 5; minute += 1) {
          clock.advance(minute === 1 ? 1 : 60_000)
          await standstill(storm, 50)
        }
        await Promise.all(runs)
        expect(server.calls).toHaveLength(112)
      },
    },
    {
      form: 'never fewer than 10, so that a lone call keeps its tries',
      options: patient,
      plays: async ({ client, call, server, clock }) => {
        server.answerWith(() => ({ status: 500 }))
        await call()
        for (let n = 1; n <= 10; n += 1) {
          const permit = client.admit(nextTry(target))
          if (typeof permit === 'string') throw new Error(`Retry ${n} was held: ${permit}`)
          await call({ permit })
          permit.release()
        }
        expect(client.admit(nextTry(target))).toBe('closed')
        expect(client.readyInMs(nextTry(target))).toBe(60_000)
        expect(client.status().breakers).toMatchObject([{ state: 'closed', hurting: false }])
        clock.advance(60_000)
        expect(client.admit(nextTry(target))).toMatchObject({ target })
      },
    },
    {
      form: 'a first try is never held',
      options: patient,
      plays: async ({ client, call, server }) => {
        server.answerWith(() => ({ status: 500 }))
        for (let n = 1; n <= 10; n += 1) client.admit(nextTry(target))
        expect(client.admit(nextTry(target))).toBe('closed')
        expect(client.readyInMs(firstTry(target))).toBe(0)
        expect(client.refusal(firstTry(target))).toBeNull()
        await client.whenReady(firstTry(target), neverAborted)
        for (let n = 1; n <= 20; n += 1) expect((await call()).failure).toMatchObject({ code: 'llm_error' })
        expect(server.calls).toHaveLength(20)
      },
    },
    {
      form: 'a retry goes to the endpoint whose budget is left',
      plays: async (scene) => {
        const pair = await openPair(scene)
        const candidates = nextTry(...(await pair.targets()))
        expect(admittedAt(pair, candidates, 21)).toBe(`${'a '.repeat(10)}${'b '.repeat(10)}closed`)
      },
    },
    {
      form: '`max_in_flight`: no more at once, and a released place is taken again',
      plays: async (scene) => {
        const pair = await openPair(scene, { a: { maxInFlight: 2 }, b: { order: 1, maxInFlight: 3 } })
        const candidates = firstTry(...(await pair.targets()))
        const freed: (() => void)[] = []
        const active = { a: 0, b: 0 }
        const most = { a: 0, b: 0 }
        const count = (endpoint: string, by: 1 | -1): void => {
          const name = endpoint === 'a' ? 'a' : 'b'
          active[name] += by
          most[name] = Math.max(most[name], active[name])
        }
        const run = async (): Promise<void> => {
          for (;;) {
            const permit = pair.client.admit(candidates)
            if (typeof permit === 'string') {
              expect(permit).toBe('full')
              await new Promise<void>((resolve) => freed.push(resolve))
              continue
            }
            count(permit.target.endpoint, 1)
            const request = { ...plainRequest, target: permit.target, permit }
            expect(await collect(pair.client.stream(request, neverAborted))).toMatchObject({ text: 'ok' })
            count(permit.target.endpoint, -1)
            permit.release()
            for (const wake of freed.splice(0)) wake()
            return
          }
        }
        await Promise.all(Array.from({ length: 40 }, run))
        expect(most).toEqual({ a: 2, b: 3 })
        expect(pair.a.maxConcurrent).toBeLessThanOrEqual(2)
        expect(pair.b.maxConcurrent).toBeLessThanOrEqual(3)
        expect(pair.a.calls.length + pair.b.calls.length).toBe(40)
        expect(pair.a.calls.length).toBeGreaterThan(5)
      },
    },
    {
      form: '`max_in_flight`: the next endpoint is for when this one fails, not for when it is busy',
      plays: async (scene) => {
        const pair = await openPair(scene, { a: { maxInFlight: 2 } })
        const candidates = firstTry(...(await pair.targets()))
        expect(admittedAt(pair, candidates, 4)).toBe('a a full full')
        expect(pair.client.readyInMs(candidates)).toBe(0)
        answers(pair.a, { status: 500 })
        const [first] = candidates.targets
        if (first === undefined) throw new Error('There must be two.')
        for (let n = 1; n <= 2; n += 1) {
          await collect(pair.client.stream({ ...plainRequest, target: first }, neverAborted))
        }
        expect(admittedAt(pair, candidates, 2)).toBe('b b')
      },
    },
    {
      form: 'endpoints of one order share the load',
      plays: async (scene) => {
        const even = await openPair(scene, { b: { order: 1 } })
        expect(admittedAt(even, firstTry(...(await even.targets())), 6)).toBe('a b a b a b')
        const uneven = await openPair(scene, { a: { maxInFlight: 1 }, b: { order: 1, maxInFlight: 4 } })
        expect(admittedAt(uneven, firstTry(...(await uneven.targets())), 6)).toBe('a b b b b full')
      },
    },
  ),
]
