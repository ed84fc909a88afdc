import { createGzip } from 'node:zlib'
import { Readable } from 'node:stream'
import { chunkOf, type HttpAnswer, rawStream, sseEvent } from '../../support/fault-answers.ts'
import { type FaultCase, final, row, say, serviceFault, type Stage } from './fault-case.ts'

const eventStream = { 'content-type': 'text/event-stream' }
const packed = { 'content-encoding': 'gzip' }
const wholeCall = serviceFault('llm_timeout', { message: /^The call took longer than 300 s \(LLM_TIMEOUT\)/ })
const firstToken = serviceFault('llm_timeout', {
  message: /^No first token for 120 s \(LLM_FIRST_TOKEN_TIMEOUT\)/,
})
const idle = serviceFault('llm_timeout', { message: /^No token for 60 s \(LLM_IDLE_TIMEOUT\)/ })
const silence = { connection: 'silence' } as const

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

// silence of so many seconds, with a comment at each
async function* pings({ clock }: Stage, seconds: number): AsyncGenerator<string> {
  for (let second = 0; second < seconds; second += 1) {
    yield ': ping\n\n'
    await turn()
    clock.advance(1_000)
  }
}

async function* halfAnAnswer(stage: Stage, rest: () => AsyncGenerator<string>): AsyncGenerator<string> {
  yield say('Hello')
  await stage.reader('Hello')
  yield* rest()
}

async function* silent({ clock }: Stage, forMs: number): AsyncGenerator<string> {
  clock.advance(forMs)
  yield* []
}

async function* trickle(
  { clock, reader }: Stage,
  delta: (letter: string) => Readonly<Record<string, string>>,
): AsyncGenerator<string> {
  for (let second = 1; second <= 400; second += 1) {
    yield sseEvent(chunkOf(delta('x')))
    if ('content' in delta('x')) await reader('x'.repeat(second))
    else await turn()
    clock.advance(1_000)
  }
}

function endless(piece: string): AsyncIterable<string> {
  const letters = piece.repeat(Math.ceil(65_536 / piece.length))
  return Readable.from(
    (function* () {
      for (;;) yield letters
    })(),
  )
}

function bomb(piece: string): AsyncIterable<Uint8Array> {
  return (endless(piece) as Readable).pipe(createGzip({ level: 1 }))
}

const tooLarge = {
  leaves: true,
  fails: final('response_too_large', {
    message: /^The answer is longer than 16777216 bytes \(LLM_MAX_RESPONSE_BYTES\)/,
  }),
}

function endlessError(headers: Record<string, string>, body: unknown): HttpAnswer {
  return { status: 500, headers, body }
}

/** Answers that stand still, crawl, break off or never end. */
export const stillRows: readonly FaultCase[] = [
  ...row(
    'slow headers / never',
    ...[true, false].map((stream) => ({
      form: stream ? 'the whole call' : 'the whole call, without a stream',
      stream,
      answer: async ({ clock }: Stage) => {
        await turn()
        clock.advance(300_000)
        return silence
      },
      leaves: true,
      takesMs: [300_000, 300_000] as const,
      fails: wholeCall,
    })),
    {
      form: 'the first token',
      options: { firstTokenTimeoutMs: 120_000 },
      answer: async ({ clock }) => {
        await turn()
        clock.advance(120_000)
        return silence
      },
      leaves: true,
      takesMs: [120_000, 120_000],
      fails: firstToken,
    },
    {
      form: 'a head, then comments, but no token',
      options: { firstTokenTimeoutMs: 120_000 },
      answer: (stage) => rawStream(pings(stage, 200), 'stall'),
      leaves: true,
      takesMs: [120_000, 122_000],
      fails: firstToken,
    },
    {
      form: 'late, but within its time',
      answer: async ({ clock }) => {
        await turn()
        clock.advance(299_000)
        return 'ok'
      },
      gives: { text: 'ok' },
    },
    { form: 'the next endpoint', skip: 'the step runner’s: test/workflows/failover.test.ts' },
  ),
  ...row(
    'stalled stream (no bytes)',
    {
      form: 'silence after the first token',
      answer: (stage) =>
        rawStream(
          halfAnAnswer(stage, () => silent(stage, 60_000)),
          'stall',
        ),
      before: 'Hello',
      leaves: true,
      takesMs: [60_000, 60_000],
      fails: idle,
    },
    {
      form: 'a comment each second',
      answer: (stage) =>
        rawStream(
          halfAnAnswer(stage, () => pings(stage, 200)),
          'stall',
        ),
      before: 'Hello',
      leaves: true,
      takesMs: [60_000, 62_000],
      fails: idle,
    },
    {
      form: 'an error status whose body stalls',
      answer: async ({ clock }) => ({
        status: 500,
        body: (async function* () {
          yield 'oh'
          await turn()
          clock.advance(300_000)
        })(),
        ending: 'stall',
      }),
      leaves: true,
      takesMs: [300_000, 300_000],
      fails: wholeCall,
    },
  ),
  ...row(
    'trickle (1 byte/s)',
    {
      form: 'of text',
      answer: (stage) => rawStream(trickle(stage, (content) => ({ content }))),
      leaves: true,
      takesMs: [300_000, 302_000],
      before: 'x'.repeat(300),
      fails: wholeCall,
    },
    {
      form: 'of reasoning',
      answer: (stage) => rawStream(trickle(stage, (letter) => ({ reasoning_content: letter }))),
      leaves: true,
      takesMs: [300_000, 302_000],
      fails: wholeCall,
    },
  ),
  ...row(
    'mid-stream cut (RST/FIN)',
    {
      form: 'FIN',
      answer: (stage) =>
        rawStream(
          halfAnAnswer(stage, () => silent(stage, 0)),
          'cut',
        ),
      before: 'Hello',
      fails: serviceFault('llm_truncated', { message: /broke off in the middle/ }),
    },
    {
      form: 'RST',
      answer: (stage) =>
        rawStream(
          halfAnAnswer(stage, () => silent(stage, 0)),
          'reset',
        ),
      before: 'Hello',
      fails: serviceFault('llm_truncated', { message: /broke off in the middle/ }),
    },
    {
      form: 'of an answer without a stream',
      stream: false,
      answer: { status: 200, body: '{"choices":[', ending: 'cut' },
      fails: serviceFault('llm_truncated'),
    },
    {
      form: 'of packed bytes',
      answer: { status: 200, headers: { ...eventStream, ...packed }, body: Buffer.from('1f8b0800', 'hex') },
      fails: serviceFault('llm_truncated'),
    },
    {
      form: 'the step opens a new attempt',
      skip: 'step.retrying is the step runner’s: test/workflows/step-runner.test.ts',
    },
  ),
  ...row(
    'clean EOF without `[DONE]`/finish_reason',
    { form: 'after text', answer: rawStream(say('Hello')), before: 'Hello', fails: serviceFault('llm_truncated') },
    { form: 'before any event', answer: rawStream(''), fails: serviceFault('llm_truncated') },
    {
      form: 'inside an event',
      answer: rawStream(say('Hello') + say('there').slice(0, 40)),
      fails: serviceFault('llm_truncated'),
    },
    {
      form: '`[DONE]` alone',
      answer: rawStream(say('Hello') + sseEvent('[DONE]')),
      fails: serviceFault('llm_truncated'),
    },
    {
      form: 'without a stream',
      stream: false,
      answer: { text: 'a', finishReason: null },
      fails: serviceFault('llm_truncated'),
    },
  ),
  ...row(
    'huge response',
    { form: 'events without end', answer: () => rawStream(endless(`: ${'x'.repeat(60)}\n\n`)), ...tooLarge },
    { form: 'a line without end', answer: () => rawStream(endless('data: x')), ...tooLarge },
    {
      form: 'without a stream',
      stream: false,
      answer: () => ({ status: 200, body: endless('{"choices":[') }),
      ...tooLarge,
    },
    {
      form: 'an error page without end',
      answer: () => endlessError({ 'content-type': 'text/html' }, endless('<p>sorry</p>')),
      leaves: true,
      fails: serviceFault('llm_error', { status: 500, message: /^The model server answered 500: sorry/ }),
    },
  ),
  ...row(
    'gzip bomb',
    {
      form: 'as a stream',
      answer: () => ({ status: 200, headers: { ...eventStream, ...packed }, body: bomb(': x\n\n') }),
      ...tooLarge,
    },
    {
      form: 'without a stream',
      stream: false,
      answer: () => ({ status: 200, headers: packed, body: bomb('{"choices":[') }),
      ...tooLarge,
    },
    {
      form: 'as an error page',
      answer: () => endlessError(packed, bomb('sorry ')),
      leaves: true,
      fails: serviceFault('llm_error', { status: 500, message: /^The model server answered 500: sorry/ }),
    },
  ),
]
