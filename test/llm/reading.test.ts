import { Readable } from 'node:stream'
import { describe, expect, onTestFinished } from 'vitest'
import type { AppError } from '../../src/errors.ts'
import { startCallDeadlines } from '../../src/llm/call-deadlines.ts'
import { createSystemClock } from '../../src/llm/clock.ts'
import { createEventStream } from '../../src/llm/event-stream.ts'
import { createLlmClient } from '../../src/llm/llm-client.ts'
import { startModelCall } from '../../src/llm/model-call.ts'
import type { ModelEvent } from '../../src/llm/model.ts'
import { traceContext, withTraceIds } from '../../src/trace-context.ts'
import { chunkOf, rawStream, sseEvent } from '../support/fault-answers.ts'
import { collect, neverAborted, optionsFor, plainRequest, test, turn } from './llm-fixture.ts'

const say = (content: string): string => sseEvent(chunkOf({ content }))
const whole = `${say('a')}${say('b')}${say('c')}${sseEvent(chunkOf({}, 'stop'))}${sseEvent('[DONE]')}`

// a call without a network, whose answer is `body`
function callOn(body: Readable): AsyncIterableIterator<ModelEvent, undefined, undefined> {
  const clock = createSystemClock()
  const headers = new Headers({ 'content-type': 'text/event-stream' })
  const limits = { firstTokenTimeoutMs: 0, idleTimeoutMs: 10_000, callTimeoutMs: 20_000 }
  return createEventStream((stream) => {
    const watched = { clock, endpoint: 'default', caller: neverAborted, streaming: true }
    const call = {
      request: plainRequest,
      isRatioKnown: true,
      maxResponseBytes: 1e9,
      caller: neverAborted,
      clock,
      failures: { endpoint: 'default', scrub: (text: string) => text },
      deadlines: startCallDeadlines(limits, { ...watched, isCallerBusy: () => !stream.isAwaited }),
      record: { firstToken: () => {}, succeeded: () => {}, failed: (failure: AppError) => failure, aborted: () => {} },
      send: async () => ({ ok: true, status: 200, headers, body, text: async () => '' }),
      onClose: () => {},
    }
    return startModelCall(call, stream)
  })
}

describe('a reader that takes its time', () => {
  for (const ending of ['eof', 'stall'] as const) {
    test(`gets the reason of an abort instead of what waits for it (${ending})`, async ({ openBench }) => {
      const bench = await openBench({ answer: () => rawStream(ending === 'eof' ? whole : say('a') + say('b'), ending) })
      const stop = new AbortController()
      const stream = bench.client.stream(plainRequest, stop.signal)[Symbol.asyncIterator]()
      expect(await stream.next()).toEqual({ done: false, value: { type: 'text', text: 'a' } })
      const reason = new Error('cancelled')
      stop.abort(reason)
      await expect(stream.next()).rejects.toBe(reason)
      expect(await stream.next()).toEqual({ done: true, value: undefined })
      expect(bench.ends()).toMatchObject([{ outcome: 'aborted' }])
    })
  }

  test('holds the server back, and loses nothing', async () => {
    const eventsPerPiece = 40
    const pieces = 100
    let sent = 0
    const body = new Readable({
      read() {
        sent += 1
        this.push(sent > pieces ? sseEvent(chunkOf({}, 'stop')) : say('x'.repeat(300)).repeat(eventsPerPiece))
        if (sent > pieces) this.push(null)
      },
    })
    const stream = callOn(body)
    await stream.next()
    for (let n = 0; n < 10; n += 1) await turn()
    expect(sent).toBeLessThan(20)
    const { events, failure } = await collect(stream)
    expect(failure).toBeNull()
    expect(events.filter(({ type }) => type === 'text')).toHaveLength(pieces * eventsPerPiece - 1)
  })

  test('that leaves before the head closes the socket', async ({ openBench }) => {
    const bench = await openBench({ answer: () => ({ connection: 'silence' }) })
    const stream = bench.client.stream(plainRequest, neverAborted)[Symbol.asyncIterator]()
    const first = stream.next()
    const call = await bench.server.called(1)
    await stream.return?.()
    expect(await first).toEqual({ done: true, value: undefined })
    await call.ended
    expect(call.aborted).toBe(true)
    expect(bench.ends()).toMatchObject([{ outcome: 'aborted' }])
  })
})

test('what is told of a call is told in its own context, whoever opened the connection', async ({ openBench }) => {
  // the end comes while the reader waits
  async function* inPieces(): AsyncGenerator<string> {
    for (const event of whole.split(/(?<=\n\n)/)) {
      yield event
      await turn()
    }
  }
  const { server } = await openBench({ answer: () => rawStream(inPieces()) })
  const told: unknown[] = []
  const client = createLlmClient(optionsFor(server.url), {
    observe: ({ type }) => type === 'llm.call_ended' && told.push(traceContext.getStore()?.correlationId),
  })
  onTestFinished(() => client.close())
  for (const correlationId of ['first', 'second', 'third']) {
    await withTraceIds({ correlationId }, () => collect(client.stream(plainRequest, neverAborted)))
  }
  expect(told).toEqual(['first', 'second', 'third'])
})
