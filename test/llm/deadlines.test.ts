import { setTimeout } from 'node:timers/promises'
import { beforeAll, describe, expect } from 'vitest'
import { chunkOf, rawStream, sseEvent } from '../support/fault-answers.ts'
import { admitted, collect, firstTry, plainRequest, test } from './llm-fixture.ts'

async function* pings(): AsyncGenerator<string> {
  yield sseEvent(chunkOf({ content: 'a' }))
  for (;;) {
    await setTimeout(10)
    yield ': ping\n\n'
  }
}

/** Long enough for a slow machine to have sent the request by then. */
const shortMs = 500

// The first call of a process loads these, which takes longer than the deadlines here.
beforeAll(async () => {
  await Promise.all([import('openai'), import('../../src/llm/upstream-client.ts')])
})

describe('deadlines', () => {
  const rows = [
    {
      name: 'whole call, no answer',
      changes: { callTimeoutMs: shortMs },
      answer: { connection: 'silence' as const },
      message: 'The call took longer than 0.5 s (LLM_TIMEOUT).',
    },
    {
      name: 'whole call, without a stream',
      changes: { callTimeoutMs: shortMs },
      stream: false,
      answer: { connection: 'silence' as const },
      message: /LLM_TIMEOUT/,
    },
    {
      name: 'first token, no answer',
      changes: { firstTokenTimeoutMs: shortMs },
      answer: { connection: 'silence' as const },
      message: 'No first token for 0.5 s (LLM_FIRST_TOKEN_TIMEOUT).',
    },
    {
      name: 'first token, only a head',
      changes: { firstTokenTimeoutMs: shortMs },
      answer: rawStream(': hello\n\n', 'stall' as const),
      message: /LLM_FIRST_TOKEN_TIMEOUT/,
    },
    {
      name: 'idle',
      changes: { idleTimeoutMs: shortMs },
      answer: { text: 'a b', ending: 'stall' as const },
      message: 'No token for 0.5 s (LLM_IDLE_TIMEOUT).',
    },
    {
      name: 'stalled error body',
      changes: { callTimeoutMs: shortMs },
      answer: { status: 500, body: 'oh', ending: 'stall' as const },
      message: /LLM_TIMEOUT/,
    },
  ]
  for (const { name, changes, answer, message, stream = true } of rows) {
    test(name, async ({ openBench }) => {
      const bench = await openBench({ answer: () => answer }, changes)
      const { failure } = await bench.call({ stream })
      expect(failure).toMatchObject({ code: 'llm_timeout', details: { retryable: true, endpoint: 'default' } })
      if (typeof message === 'string') expect(failure?.message).toBe(message)
      else expect(failure?.message).toMatch(message)
      expect(bench.ends()).toMatchObject([{ outcome: 'llm_timeout' }])
      await bench.server.calls[0]?.ended
      expect(bench.server.calls[0]?.aborted).toBe(true)
    })
  }

  test('comments are no progress', async ({ openBench }) => {
    const bench = await openBench({ answer: () => rawStream(pings()) }, { idleTimeoutMs: 60 })
    expect((await bench.call()).failure?.message).toContain('LLM_IDLE_TIMEOUT')
  })

  test('a slow reader is not a silent server', async ({ openBench }) => {
    const bench = await openBench({ answer: () => 'a b c d' }, { idleTimeoutMs: 200 })
    const texts: string[] = []
    for await (const event of bench.client.stream(plainRequest, new AbortController().signal)) {
      if (event.type !== 'text') continue
      texts.push(event.text)
      const until = performance.now() + 250
      while (performance.now() < until) await new Promise((resolve) => setImmediate(resolve))
    }
    expect(texts.join('')).toBe('a b c d')
  })
})

describe('an abort', () => {
  for (const at of ['before the head', 'in the middle'] as const) {
    test(`${at} closes the socket and rejects with its reason`, async ({ openBench }) => {
      const answer =
        at === 'in the middle' ? { text: 'a b', ending: 'stall' as const } : { connection: 'silence' as const }
      const bench = await openBench({ answer: () => answer })
      const stop = new AbortController()
      const reason = new Error('cancelled')
      const reading = collect(bench.client.stream(plainRequest, stop.signal))
      const call = await bench.server.called(1)
      stop.abort(reason)
      expect((await reading).failure).toBe(reason)
      await call.ended
      expect(call.aborted).toBe(true)
      expect(bench.ends()).toMatchObject([{ outcome: 'aborted' }])
      expect(bench.client.status()).toMatchObject({ successRate: null, endpoints: [{ inFlight: 0, failures: 0 }] })
    })
  }

  test('is seen by the server within 100 ms', async ({ openBench }) => {
    const bench = await openBench({ answer: () => ({ text: 'a b', ending: 'stall' }) })
    const delays: number[] = []
    for (let n = 1; n <= 5; n += 1) {
      const stop = new AbortController()
      const reading = bench.call({}, stop.signal)
      const call = await bench.server.called(n)
      const at = performance.now()
      stop.abort(new Error('cancelled'))
      await call.ended
      delays.push(performance.now() - at)
      await reading
    }
    // the machine may be busy with something else for once
    expect(Math.min(...delays)).toBeLessThan(100)
  })

  test('before the call sends nothing and gives the permit back', async ({ openBench }) => {
    const bench = await openBench(
      { answer: () => ({ status: 500 }) },
      { breaker: { threshold: 1, openMs: 1, halfOpen: 1 } },
    )
    const candidates = firstTry(plainRequest.target)
    await bench.call()
    await bench.client.whenReady(candidates, new AbortController().signal)
    const permit = admitted(bench.client.admit(candidates))
    expect(bench.client.admit(candidates)).toBe('closed')
    const reason = new Error('cancelled')
    expect((await bench.call({ permit }, AbortSignal.abort(reason))).failure).toBe(reason)
    permit.release()
    expect(bench.server.calls).toHaveLength(1)
    expect(bench.ends()).toHaveLength(1)
    expect(bench.client.admit(candidates)).toMatchObject({ target: plainRequest.target })
  })

  test('a reader that leaves early closes the socket', async ({ openBench }) => {
    const bench = await openBench({ answer: () => ({ text: 'a b', ending: 'stall' }) })
    for await (const event of bench.client.stream(plainRequest, new AbortController().signal)) {
      if (event.type === 'text') break
    }
    await bench.server.calls[0]?.ended
    expect(bench.server.calls[0]?.aborted).toBe(true)
    expect(bench.ends()).toMatchObject([{ outcome: 'aborted', usage: { estimated: true } }])
  })

  test('a reader that leaves at the end had a success', async ({ openBench }) => {
    const bench = await openBench()
    for await (const event of bench.client.stream(plainRequest, new AbortController().signal)) {
      if (event.type === 'end') break
    }
    expect(bench.ends()).toMatchObject([{ outcome: 'success' }])
  })

  test('closing the client ends its calls with shutdown', async ({ openBench }) => {
    const bench = await openBench({ answer: () => ({ text: 'a b', ending: 'stall' }) })
    const reading = bench.call()
    await bench.server.called(1)
    await bench.client.close()
    expect((await reading).failure).toMatchObject({ code: 'shutdown', details: { retryable: true } })
    expect((await bench.call()).failure).toMatchObject({ code: 'shutdown' })
    expect(bench.ends()).toMatchObject([{ outcome: 'aborted' }])
  })
})
