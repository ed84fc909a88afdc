import * as fc from 'fast-check'
import { describe, expect } from 'vitest'
import { withTraceIds } from '../../src/trace-context.ts'
import { chunkOf, rawStream, sseEvent } from '../support/fault-answers.ts'
import { endpointOf, test } from './llm-fixture.ts'

const stop = sseEvent(chunkOf({}, 'stop'))
const done = sseEvent('[DONE]')
const say = (content: string): string => sseEvent(chunkOf({ content }))

describe('a good answer', () => {
  test('text, reasoning, usage, end, in this order', async ({ openBench }) => {
    const usage = {
      prompt_tokens: 11,
      completion_tokens: 7,
      prompt_tokens_details: { cached_tokens: 5 },
      completion_tokens_details: { reasoning_tokens: 3 },
    }
    const bench = await openBench({ answer: () => ({ text: 'Hello world', reasoning: 'Hm', usage }) })
    const { events, failure } = await bench.call()
    expect(failure).toBeNull()
    const counted = { inputTokens: 11, outputTokens: 7, cachedTokens: 5, reasoningTokens: 3, estimated: false }
    expect(events).toEqual([
      { type: 'reasoning', text: 'Hm' },
      { type: 'text', text: 'Hello' },
      { type: 'text', text: ' world' },
      { type: 'usage', usage: counted },
      { type: 'end', finishReason: 'stop', model: 'test-model' },
    ])
    expect(bench.told.filter(({ type }) => type.startsWith('llm.call'))).toMatchObject([
      { type: 'llm.call_started', endpoint: 'default', model: 'test-model' },
      { type: 'llm.call_ended', outcome: 'success', usage: counted, firstTokenMs: expect.any(Number) as number },
    ])
    expect(bench.client.status()).toMatchObject({ requestCount: 1, successRate: 1 })
  })

  test('without a stream it is one piece of text', async ({ openBench }) => {
    const bench = await openBench({ answer: () => ({ text: 'Hello world', reasoning: 'Hm' }) })
    const { events } = await bench.call({ stream: false })
    expect(events.map(({ type }) => type)).toEqual(['reasoning', 'text', 'usage', 'end'])
    expect(bench.server.calls[0]?.body).not.toHaveProperty('stream_options')
  })

  test('missing usage is estimated and says so', async ({ openBench }) => {
    const bench = await openBench({ answer: () => ({ text: 'Hello world', usage: null }) })
    const { events } = await bench.call()
    expect(events.at(-2)).toMatchObject({ usage: { estimated: true, inputTokens: 9, outputTokens: 4 } })
  })

  test('usage that makes no sense is estimated', async ({ openBench }) => {
    const usage = { prompt_tokens: -1, completion_tokens: 'many' }
    const bench = await openBench({ answer: () => ({ text: 'Hello', usage }) })
    expect((await bench.call()).events.at(-2)).toMatchObject({ usage: { estimated: true, outputTokens: 2 } })
  })

  test('length is passed on', async ({ openBench }) => {
    const bench = await openBench({ answer: () => ({ text: 'Hello', finishReason: 'length' }) })
    expect((await bench.call()).events.at(-1)).toMatchObject({ type: 'end', finishReason: 'length' })
  })

  test('gzip', async ({ openBench }) => {
    const bench = await openBench({ answer: () => ({ text: 'Hello world', gzip: true }) })
    expect((await bench.call()).text).toBe('Hello world')
  })

  const odd = [
    ['a cut after the finish reason', rawStream(say('a') + stop, 'cut')],
    ['garbage after the finish reason', rawStream(`${say('a')}${stop}data: {\n\n`)],
    ['an error after the finish reason', rawStream(say('a') + stop + sseEvent({ error: { message: 'late' } }))],
    ['anything after [DONE]', rawStream(say('a') + stop + done + say('b'))],
    ['silence after [DONE]', rawStream(say('a') + stop + done, 'stall')],
    ['text after the finish reason', rawStream(say('a') + stop + say('b') + done)],
    ['empty choices', rawStream(sseEvent({ choices: [] }) + say('a') + stop + done)],
    ['null error', rawStream(sseEvent({ ...chunkOf({ content: 'a' }), error: null }) + stop + done)],
    [
      'other choices',
      rawStream(
        say('a') + sseEvent({ choices: [{ index: 1, delta: { content: 'x' }, finish_reason: 'stop' }] }) + stop + done,
      ),
    ],
    [
      'comments, CRLF, a BOM, event names',
      rawStream(`\uFEFF: hi\r\nevent: message\r\n${(say('a') + stop + done).replaceAll('\n', '\r\n')}`),
    ],
    ['bare CR', rawStream((say('a') + stop + done).replaceAll('\n', '\r'))],
    ['no empty line at the end', rawStream((say('a') + stop).trimEnd())],
    [
      'a list of parts',
      rawStream(sseEvent(chunkOf({ content: [{ type: 'text', text: 'a' }] as never })) + stop + done),
    ],
    ['no [DONE]', rawStream(say('a') + stop)],
  ] as const
  for (const [name, answer] of odd) {
    test(`bears ${name}`, async ({ openBench }) => {
      const bench = await openBench({ answer: () => answer })
      const { text, failure } = await bench.call()
      expect({ text, failure }).toEqual({ text: 'a', failure: null })
    })
  }

  test('silence after the finish reason ends the answer in the end', async ({ openBench }) => {
    const bench = await openBench({ answer: () => rawStream(say('a') + stop, 'stall') }, { idleTimeoutMs: 40 })
    expect(await bench.call()).toMatchObject({ text: 'a', failure: null })
    await bench.server.calls[0]?.ended
  })

  test('what looks like SSE inside the text stays text', async ({ openBench }) => {
    const text = 'data: {"a":1}\n\nevent: x\r\nid: 3\r\n\r\ndata: [DONE]\n\n: 😀'
    const bench = await openBench({ answer: () => ({ text, chunks: Array.from(text) }) })
    expect((await bench.call()).text).toBe(text)
  })

  test('bytes may be split anywhere', async ({ openBench }) => {
    const text = 'aé€😀\r\n漢字 👩‍👩‍👧 ñ'
    const bench = await openBench()
    for (let bytesPerWrite = 1; bytesPerWrite <= 9; bytesPerWrite += 1) {
      bench.server.answerWith(() => ({ text, bytesPerWrite }))
      expect((await bench.call()).text).toBe(text)
    }
  })

  test('a surrogate pair split over deltas stays whole, a lone one and U+0000 are replaced', async ({ openBench }) => {
    const bench = await openBench({
      answer: () =>
        rawStream(
          String.raw`data: {"choices":[{"index":0,"delta":{"content":"a\ud83d"}}]}` +
            '\n\n' +
            String.raw`data: {"choices":[{"index":0,"delta":{"content":"\ude00\u0000\ude00b\ud83d"},"finish_reason":"stop"}]}` +
            '\n\n',
        ),
    })
    const { events } = await bench.call()
    expect(events.filter(({ type }) => type === 'text')).toEqual([
      { type: 'text', text: 'a' },
      { type: 'text', text: '😀\uFFFD\uFFFDb' },
      { type: 'text', text: '\uFFFD' },
    ])
  })

  test('connections are kept', async ({ openBench }) => {
    const bench = await openBench({ answer: ({ index }) => (index % 2 === 0 ? 'even' : 'odd') })
    const ports = new Set<string>()
    for (let n = 0; n < 6; n += 1) {
      await bench.call()
      ports.add(String(bench.server.calls[n]?.remotePort))
    }
    expect(ports.size).toBeLessThanOrEqual(2)
  })
})

describe('a request', () => {
  test('carries exactly our headers', async ({ openBench }) => {
    const bench = await openBench()
    process.env['OPENAI_ORG_ID'] = 'org-leak'
    process.env['OPENAI_CUSTOM_HEADERS'] = 'X-Leak: yes'
    try {
      const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
      const call = withTraceIds({ correlationId: 'req-1', traceparent }, () => bench.call())
      await call
      const { headers } = bench.server.calls[0] ?? { headers: {} }
      expect(headers).toMatchObject({
        authorization: 'Bearer canary-key-123',
        'x-correlation-id': 'req-1',
        traceparent,
        'user-agent': 'multi-agent-service',
      })
      expect(Object.keys(headers).filter((name) => /stainless|leak|openai|project/.test(name))).toEqual([])
    } finally {
      delete process.env['OPENAI_ORG_ID']
      delete process.env['OPENAI_CUSTOM_HEADERS']
    }
  })

  test('says what was asked for', async ({ openBench }) => {
    const bench = await openBench()
    await bench.call({ temperature: 0.1, maxTokens: 7 })
    expect(bench.server.calls[0]?.body).toEqual({
      model: 'test-model',
      messages: [{ role: 'user', content: 'Say something.' }],
      temperature: 0.1,
      max_tokens: 7,
      stream: true,
      stream_options: { include_usage: true },
    })
  })

  test('sends userinfo of the URL as Basic authorization', async ({ openBench }) => {
    const { server } = await openBench()
    const baseUrl = server.url.replace('//', '//user:p%40ss@')
    const bench = await openBench({}, { endpoints: [endpointOf({ baseUrl, apiKey: '' })] })
    await bench.call()
    expect(server.calls[0]?.headers.authorization).toBe(`Basic ${btoa('user:p@ss')}`)
  })
})

test('any text arrives as it is, however it is cut', async ({ openBench }) => {
  const bench = await openBench()
  const pieces = fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(pieces, fc.integer({ min: 1, max: 40 }), async (chunks, bytesPerWrite) => {
      bench.server.answerWith(() => ({ text: '', chunks: [...chunks, '.'], bytesPerWrite }))
      const { text } = await bench.call()
      expect(text).toBe(`${chunks.join('')}.`.replaceAll('\0', '\uFFFD'))
    }),
    { numRuns: 20 },
  )
})
