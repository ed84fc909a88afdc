import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ModelServer } from '../../src/llm/model-server.ts'
import { findTargets, type TargetOptions } from '../../src/llm/targets.ts'
import { createHandClock } from '../support/hand-clock.ts'
import { createFakeServer, type FakeServerOptions } from './fake-server.ts'
import { neverAborted, turn, watch } from './llm-fixture.ts'

const nothingDecided: TargetOptions = { defaultModel: null, contextWindow: null }

async function find(
  wanted: string | null,
  servers: readonly ModelServer[],
  options: Partial<TargetOptions> = {},
): Promise<readonly string[]> {
  const parts = { servers, clock: createHandClock(), signal: neverAborted }
  const targets = await findTargets(wanted, { ...nothingDecided, ...options }, parts)
  return targets.map(({ endpoint, model }) => `${endpoint} ${model}`)
}

function serversOf(...all: readonly FakeServerOptions[]): readonly ModelServer[] {
  return all.map((options, index) => createFakeServer({ name: 'abc'.charAt(index), order: index, ...options }))
}

describe('a model that is wanted by name', () => {
  test('is asked for where it is listed, in the order of the endpoints', async () => {
    const servers = serversOf({ lists: ['x', 'y'], order: 2 }, { lists: ['y'], order: 1 }, { lists: ['x'], order: 0 })
    expect(await find('x', servers)).toEqual(['c x', 'a x'])
    expect(await find('y', servers)).toEqual(['b y', 'a y'])
  })

  test('is asked for where the operator says that it is served, whatever the server lists', async () => {
    const servers = serversOf({ lists: ['y'], models: ['x'] }, { lists: ['x'], models: ['y'] })
    expect(await find('x', servers)).toEqual(['a x'])
  })

  test('may be served where nobody knows what is served', async () => {
    expect(await find('x', serversOf({ lists: 'refused' }, { lists: ['x'] }, { lists: ['y'] }))).toEqual(['a x', 'b x'])
    expect(await find('x', serversOf({ lists: [] }, { lists: ['y'] }))).toEqual(['a x', 'b x'])
  })

  test('may be served by another name where nobody lists it, but not by a closed list', async () => {
    const servers = serversOf({ lists: ['x:latest'] }, { lists: ['y'], models: ['y'] }, { lists: ['z'] })
    expect(await find('x', servers)).toEqual(['a x', 'c x'])
  })

  test('is asked for everywhere rather than nowhere', async () => {
    const closed = serversOf({ lists: ['y'], models: ['y'] }, { lists: ['z'], models: ['z'] })
    expect(await find('x', closed)).toEqual(['a x', 'b x'])
  })
})

describe('without a wanted model', () => {
  test('each endpoint answers with the default, or else with its first', async () => {
    const servers = serversOf({ lists: ['y', 'x'] }, { lists: ['z'], models: ['z', 'w'] }, { lists: ['y'] })
    expect(await find(null, servers, { defaultModel: 'x' })).toEqual(['a x', 'b z', 'c y'])
  })

  test('each endpoint answers with its first where there is no default', async () => {
    expect(await find(null, serversOf({ lists: ['y', 'x'] }, { lists: ['z'] }, { lists: 'refused' }))).toEqual([
      'a y',
      'b z',
      'c default',
    ])
  })

  test('a default that nobody lists goes to all but the closed lists', async () => {
    const servers = serversOf({ lists: ['y'] }, { lists: ['z'], models: ['z'] }, { lists: 'refused' })
    expect(await find(null, servers, { defaultModel: 'x' })).toEqual(['a x', 'b z', 'c x'])
  })
})

test('servers that refused us come last, each group in its order', async () => {
  const servers = serversOf({ lists: ['x'] }, { lists: ['x'] }, { lists: ['x'] })
  servers[0]?.avoid()
  expect(await find('x', servers)).toEqual(['b x', 'c x', 'a x'])
  servers[1]?.avoid()
  expect(await find('x', servers)).toEqual(['c x', 'a x', 'b x'])
  servers[0]?.proved()
  expect(await find('x', servers)).toEqual(['a x', 'c x', 'b x'])
})

test('a target says what is known of window and tokens', async () => {
  const [server] = serversOf({ lists: [{ id: 'x', max_model_len: 8_192 }] })
  if (server === undefined) throw new Error('There is one.')
  const parts = { servers: [server], clock: createHandClock(), signal: neverAborted }
  const [before] = await findTargets('x', nothingDecided, parts)
  expect(before).toEqual({ endpoint: 'a', model: 'x', contextWindow: 8_192, tokenRatio: 1 })
  server.learnWindow('x', 4_096)
  server.tokenRatios.learn('x', { estimated: 1_000, reported: 1_300, ratio: 1 })
  expect(await findTargets('x', nothingDecided, parts)).toMatchObject([{ contextWindow: 4_096, tokenRatio: 1.3 }])
  expect(await findTargets('x', { ...nothingDecided, contextWindow: 2_048 }, parts)).toMatchObject([
    { contextWindow: 2_048 },
  ])
})

describe('a server that has not told yet', () => {
  test('is waited for, for 2 seconds', async () => {
    const clock = createHandClock()
    const servers = [
      createFakeServer({ name: 'a', lists: 'silence' }, clock),
      createFakeServer({ name: 'b', lists: ['y'] }, clock),
    ]
    const finding = findTargets(null, nothingDecided, { servers, clock, signal: neverAborted })
    const seen = watch(finding)
    await turn()
    clock.advance(1_999)
    await turn()
    expect(seen.over).toBe(false)
    clock.advance(1)
    expect(await finding).toMatchObject([
      { endpoint: 'a', model: 'default' },
      { endpoint: 'b', model: 'y' },
    ])
  })

  test('is not waited for once the caller has gone', async () => {
    const clock = createHandClock()
    const servers = [createFakeServer({ lists: 'silence' }, clock)]
    const stop = new AbortController()
    const finding = findTargets(null, nothingDecided, { servers, clock, signal: stop.signal })
    stop.abort()
    expect(await finding).toMatchObject([{ model: 'default' }])
  })

  test('is not asked where nothing depends on it', async () => {
    const clock = createHandClock()
    const servers = [createFakeServer({ lists: 'silence' }, clock)]
    const decided = { defaultModel: 'x', contextWindow: 4_096 }
    const parts = { servers, clock, signal: neverAborted }
    expect(await findTargets(null, decided, parts)).toMatchObject([{ model: 'x', contextWindow: 4_096 }])
    expect(servers[0]?.survey()).toBeNull()
    expect(clock.timers()).toBe(0)
  })

  test('leaves no timer behind', async () => {
    const clock = createHandClock()
    const servers = [createFakeServer({ lists: ['x'] }, clock)]
    await findTargets(null, nothingDecided, { servers, clock, signal: neverAborted })
    expect(clock.timers()).toBe(0)
  })
})

test('whoever serves what, there is a target, none twice, and no closed list is asked for more unless all are', async () => {
  const names = fc.uniqueArray(fc.constantFrom('x', 'y', 'z'))
  const server = fc.record({
    lists: fc.oneof(names, fc.constant('refused' as const)),
    models: names,
    order: fc.nat({ max: 3 }),
    avoided: fc.boolean(),
  })
  const wanted = fc.option(fc.constantFrom('x', 'y', 'z', 'w'))
  await fc.assert(
    fc.asyncProperty(fc.array(server, { minLength: 1, maxLength: 3 }), wanted, wanted, async (all, name, usual) => {
      const servers = serversOf(...all)
      for (const [index, { avoided }] of all.entries()) if (avoided) servers[index]?.avoid()
      const targets = (await find(name, servers, { defaultModel: usual })).map((target) => target.split(' '))
      const endpoints = targets.map(([endpoint]) => endpoint)
      expect(endpoints.length).toBeGreaterThan(0)
      expect(new Set(endpoints).size).toBe(endpoints.length)
      if (name === null) expect(endpoints).toHaveLength(all.length)
      const strange = targets.filter(([endpoint, model = '']) => {
        const models: readonly string[] = all['abc'.indexOf(endpoint ?? '')]?.models ?? []
        return models.length > 0 && !models.includes(model)
      })
      expect(strange.length === 0 || (name !== null && targets.length === all.length)).toBe(true)
    }),
    { numRuns: 200 },
  )
})
