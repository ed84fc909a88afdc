import { setTimeout as delay } from 'node:timers/promises'

import { describe, expect, onTestFinished } from 'vitest'
import type { EndpointOptions, LlmClientOptions } from '../../src/llm/llm-client.ts'
import { endpointAt, customStep, customSteps, test } from '../support/engine-fixture.ts'
import type { EngineBench, EngineBenchOptions } from '../support/engine-fixture.ts'
import type { Behaviour, HttpAnswer } from '../support/fault-answers.ts'
import { startModelServer } from '../support/fault-server.ts'
import type { ModelServerDouble, ModelServerOptions } from '../support/fault-server.ts'
import type { FollowedEvents } from '../support/followed-events.ts'
import { answerSteps, createLatch, heldAnswer, workOf } from '../support/scripted-steps.ts'
import { expectLawful } from './lawful-log.ts'

const broken: Behaviour = { status: 500, body: { error: { message: 'out of order' } } }
const unauthorized: Behaviour = { status: 401, body: { error: { message: 'wrong key' } } }
const loading: HttpAnswer = {
  status: 503,
  body: { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } },
}

async function serverThat(answer: Behaviour, options: ModelServerOptions = {}): Promise<ModelServerDouble> {
  const server = await startModelServer({ answer: answerSteps({ a: [answer], b: [answer], c: [answer] }), ...options })
  onTestFinished(() => server.close())
  return server
}

/** Endpoints `first`, `second`, … on such servers. */
async function endpointsOn(
  answers: readonly Behaviour[],
  changes: Partial<EndpointOptions> = {},
): Promise<{ readonly servers: readonly ModelServerDouble[]; readonly llm: Partial<LlmClientOptions> }> {
  const servers = await Promise.all(answers.map((answer) => serverThat(answer)))
  const names = ['first', 'second', 'third']
  const endpoints = servers.map(({ url }, index) =>
    endpointAt(url, { name: names[index] ?? '', order: index + 1, ...changes }),
  )
  return { servers, llm: { endpoints } }
}

const tries = (maxRetries: number): NonNullable<EngineBenchOptions['run']> => ({
  limits: { maxRetries, maxRestarts: 0, timeoutMs: 20_000 },
})

function callsOf(servers: readonly ModelServerDouble[]): readonly number[] {
  return servers.map(({ calls }) => calls.length)
}

async function runSteps(bench: EngineBench, ...lines: readonly string[]): Promise<FollowedEvents & { id: string }> {
  await bench.engine.start()
  const id = await bench.start(customSteps(...lines))
  const followed = await bench.toEnd(id)
  expectLawful(followed.events)
  return Object.assign(followed, { id })
}

const well = workOf('a')

describe('one try is one pass down the list of endpoints', () => {
  test('the next endpoint answers in an attempt of its own, at once, and without using a try', async ({
    openBench,
  }) => {
    const { servers, llm } = await endpointsOn([broken, well])
    const bench = await openBench({ llm, run: tries(0) })
    const { id, of, joined } = await runSteps(bench, 'a')
    expect(of('step.started').map(({ attempt, endpoint }) => [attempt, endpoint])).toEqual([
      [1, 'first'],
      [2, 'second'],
    ])
    expect(of('step.retrying')).toMatchObject([
      { attempt: 1, delay_ms: 0, error: { code: 'llm_error', endpoint: 'first', status: 500 } },
    ])
    expect(of('step.completed')).toMatchObject([{ attempt: 2, endpoint: 'second' }])
    expect(joined('a', 2)).toBe(well)
    expect(callsOf(servers)).toEqual([1, 1])
    const { endpoint, usage, attempts } = await bench.service.step(id, 'a')
    expect({ endpoint, calls: usage.llm_calls }).toEqual({ endpoint: 'second', calls: 2 })
    expect(attempts.map((one) => [one.endpoint, one.status])).toEqual([
      ['first', 'void'],
      ['second', 'kept'],
    ])
  })

  test('when all fail it is one try, and the next one begins at the first again', async ({ openBench }) => {
    const { servers, llm } = await endpointsOn([broken, broken, broken])
    const bench = await openBench({ llm, run: tries(1) })
    const { of } = await runSteps(bench, 'a')
    expect(of('step.started').map(({ endpoint }) => endpoint)).toEqual([
      'first',
      'second',
      'third',
      'first',
      'second',
      'third',
    ])
    expect(of('step.retrying').map(({ delay_ms }) => delay_ms)).toEqual([0, 0, 1, 0, 0])
    expect(of('step.failed')).toMatchObject([{ error: { code: 'llm_error', attempts: 2 } }])
    expect(callsOf(servers)).toEqual([2, 2, 2])
  })

  test('a wrong key sends the step on, and those after it do not ask there first', async ({ openBench }) => {
    const { servers, llm } = await endpointsOn([unauthorized, well])
    const bench = await openBench({ llm, run: tries(0) })
    const { of } = await runSteps(bench, 'a', 'b < a', 'c < b')
    expect(of('step.retrying')).toMatchObject([{ error: { code: 'llm_unauthorized', endpoint: 'first' } }])
    expect(of('step.completed').map(({ endpoint }) => endpoint)).toEqual(['second', 'second', 'second'])
    expect(callsOf(servers)).toEqual([1, 3])
    expect(bench.llm.status().endpoints).toMatchObject([{ reachable: false }, { reachable: true }])
  })

  test('a try that failed here for good and there for now is worth another', async ({ openBench }) => {
    const { servers, llm } = await endpointsOn([broken, unauthorized])
    const bench = await openBench({ llm, run: tries(1) })
    const { of } = await runSteps(bench, 'a')
    expect(of('step.failed')).toMatchObject([{ error: { code: 'llm_error', endpoint: 'first', attempts: 2 } }])
    expect(callsOf(servers)).toEqual([2, 2])
  })

  test('what is wrong with the request is wrong everywhere', async ({ openBench }) => {
    const { servers, llm } = await endpointsOn([{ status: 400, body: { error: { message: 'no' } } }, well])
    const bench = await openBench({ llm })
    const { of } = await runSteps(bench, 'a')
    expect(of('step.failed')).toMatchObject([{ error: { code: 'llm_rejected', endpoint: 'first' } }])
    expect(callsOf(servers)).toEqual([1, 0])
  })

  test('the time of the step holds for all of it', async ({ openBench }) => {
    const { servers, llm } = await endpointsOn([{ text: 'a b', ending: 'stall' }, well])
    const bench = await openBench({ llm, run: { limits: { maxRetries: 3, maxRestarts: 0, timeoutMs: 200 } } })
    const { of } = await runSteps(bench, 'a')
    expect(of('step.failed')).toMatchObject([{ error: { code: 'task_timeout' } }])
    expect(callsOf(servers)).toEqual([1, 0])
  })
})

describe('an endpoint whose breaker is open', () => {
  const breaker = { threshold: 1, openMs: 60_000, halfOpen: 1 }

  test('is skipped without an attempt', async ({ openBench }) => {
    const { servers, llm } = await endpointsOn([broken, well])
    const bench = await openBench({ llm: { ...llm, breaker }, run: tries(0) })
    const { of } = await runSteps(bench, 'a', 'b < a', 'c < b')
    expect(of('step.started').map(({ endpoint }) => endpoint)).toEqual(['first', 'second', 'second', 'second'])
    expect(callsOf(servers)).toEqual([1, 3])
  })

  test('holds up a step only when all are open', async ({ openBench }) => {
    const { servers, llm } = await endpointsOn([broken, broken])
    const bench = await openBench({ llm: { ...llm, breaker: { ...breaker, openMs: 1500 } }, run: tries(3) })
    await bench.engine.start()
    const followed = await bench.follow(await bench.start(customSteps('a')))
    await followed.until('step.retrying', 'a')
    servers[0]?.answerWith(answerSteps())
    await followed.toEnd()
    expectLawful(followed.events)
    const delays = followed.of('step.retrying').map(({ delay_ms = 0 }) => delay_ms)
    expect(delays).toHaveLength(2)
    expect(delays[0]).toBe(0)
    expect(delays[1]).toBeGreaterThan(200)
    expect(followed.of('step.completed')).toMatchObject([{ endpoint: 'first' }])
  })
})

describe('models', () => {
  test('each endpoint answers with the default if it serves that, else with its first', async ({ openBench }) => {
    const [first, second] = await Promise.all([serverThat(broken), serverThat(well)])
    const endpoints = [
      endpointAt(first.url, { name: 'first', models: ['test-model', 'x'] }),
      endpointAt(second.url, { name: 'second', order: 2, models: ['y', 'z'] }),
    ]
    const bench = await openBench({ llm: { endpoints }, run: tries(0) })
    const { of } = await runSteps(bench, 'a')
    expect(of('step.started').map(({ model }) => model)).toEqual(['test-model', 'y'])
    expect(second.calls[0]?.model).toBe('y')
  })

  test('one that is asked for by name goes only to who serves it', async ({ openBench }) => {
    const [first, second] = await Promise.all([serverThat(well), serverThat(well)])
    const endpoints = [
      endpointAt(first.url, { name: 'first', models: ['test-model', 'x'] }),
      endpointAt(second.url, { name: 'second', order: 2, models: ['y', 'z'] }),
    ]
    const bench = await openBench({ llm: { endpoints } })
    await bench.engine.start()
    const steps = [customStep('a', { options: { model: 'z' } }), customStep('b')]
    const { of } = await bench.toEnd(await bench.start({ type: 'custom', steps }))
    expect(of('step.completed', 'a')).toMatchObject([{ endpoint: 'second', model: 'z' }])
    expect(of('step.completed', 'b')).toMatchObject([{ endpoint: 'first', model: 'test-model' }])
  })
})

describe('how much an endpoint is used', () => {
  test('never more at once than it may, and the time of a step that waits for it stands still', async ({
    openBench,
  }) => {
    const { servers, llm } = await endpointsOn([well], { maxInFlight: 1 })
    const [server] = servers
    // eight of these take longer than one step may
    server?.answerWith(() => delay(150, well))
    const bench = await openBench({ llm, run: { limits: { maxRetries: 0, maxRestarts: 0, timeoutMs: 1000 } } })
    const { of, names } = await runSteps(bench, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h')
    expect(names()).toContain('workflow.completed')
    expect(of('step.completed')).toHaveLength(8)
    expect(server?.maxConcurrent).toBe(1)
  })

  test('endpoints of one order share the load; a later one is not used because they are busy', async ({
    openBench,
  }) => {
    const servers = await Promise.all([serverThat(well), serverThat(well), serverThat(well)])
    const latch = createLatch()
    for (const server of servers) server.answerWith(() => heldAnswer('x', latch))
    const endpoints = servers.map(({ url }, index) =>
      endpointAt(url, { name: `e${index}`, order: index < 2 ? 1 : 2, maxInFlight: 2 }),
    )
    const bench = await openBench({ llm: { endpoints } })
    await bench.engine.start()
    const followed = await bench.follow(await bench.start(customSteps('a', 'b', 'c', 'd', 'e')))
    await Promise.all([servers[0]?.called(2), servers[1]?.called(2)])
    expect(callsOf(servers)).toEqual([2, 2, 0])
    latch.open()
    await followed.toEnd()
    expect(servers[2]?.calls).toEqual([])
    expect(followed.names()).toContain('workflow.completed')
  })
})

test('a server that is loading its model is waited for, without a try and without a place', async ({ openBench }) => {
  let isLoading = true
  const server = await startModelServer({
    answer: answerSteps({ a: [loading, well] }),
    get: () => (isLoading ? loading : undefined),
  })
  onTestFinished(() => server.close())
  const bench = await openBench({
    server,
    engine: { maxConcurrentAgents: 1 },
    llm: { breaker: { threshold: 1, openMs: 60_000, halfOpen: 1 } },
    run: tries(0),
  })
  await bench.engine.start()
  const followed = await bench.follow(await bench.start(customSteps('a')))
  expect(await followed.until('step.retrying')).toMatchObject({ error: { code: 'llm_error', status: 503 } })
  expect(bench.engine.busy().size).toBe(0)
  isLoading = false
  await followed.toEnd()
  expectLawful(followed.events)
  expect(followed.names()).toContain('step.completed a@2')
  expect(bench.llm.status().breakers).toMatchObject([{ state: 'closed' }])
})
