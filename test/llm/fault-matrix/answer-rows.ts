import { chunkOf, rawStream, sseEvent } from '../../support/fault-answers.ts'
import { bothWays, type FaultCase, final, passing, row, say, serviceFault, stop } from './fault-case.ts'

const toolCall = { tool_calls: [{ index: 0, id: 'c1', type: 'function', function: { name: 'rm', arguments: '{}' } }] }
const estimated = { inputTokens: 9, outputTokens: 2, cachedTokens: 0, reasoningTokens: 0, estimated: true }

/** Well-formed answers that are not what was asked for. */
export const answerRows: readonly FaultCase[] = [
  ...row(
    'tool_calls when none offered, `refusal`, `reasoning_content`, inline `<think>`',
    {
      form: 'a tool call alone',
      answer: rawStream(sseEvent(chunkOf(toolCall)) + sseEvent(chunkOf({}, 'tool_calls'))),
      fails: passing('empty_output'),
    },
    {
      form: 'a tool call beside text',
      answer: rawStream(say('a') + sseEvent(chunkOf(toolCall)) + stop),
      gives: { text: 'a' },
    },
    {
      form: 'a refusal',
      answer: rawStream(
        sseEvent(chunkOf({ refusal: "I can't " })) + sseEvent(chunkOf({ refusal: 'do <b>that</b>' })) + stop,
      ),
      fails: final('content_filtered', { message: /^The model refused: I can't do that$/ }),
    },
    ...bothWays({
      form: '`reasoning_content`',
      answer: { text: 'Hello world', reasoning: 'Hm' },
      gives: { text: 'Hello world', reasoning: 'Hm' },
    }),
    {
      form: '`reasoning`',
      answer: rawStream(sseEvent(chunkOf({ reasoning: 'Hm' })) + say('a') + stop),
      gives: { text: 'a', reasoning: 'Hm' },
    },
    { form: 'reasoning alone', answer: { text: '', reasoning: 'Hm' }, fails: passing('empty_output') },
    { form: 'inline `<think>`', skip: 'split by the agents: test/agents/answer.test.ts' },
  ),
  ...row(
    'finish_reason `length`',
    ...bothWays({
      form: 'is told as the end that it is',
      answer: { text: 'Hello wor', finishReason: 'length' },
      gives: { text: 'Hello wor', finishReason: 'length' },
    }),
    {
      form: 'before any text',
      answer: { text: '', reasoning: 'Hm', finishReason: 'length' },
      gives: { text: '', reasoning: 'Hm', finishReason: 'length' },
    },
    { form: 'the model goes on', skip: 'continuation is the agents’: test/agents/answer.test.ts' },
  ),
  ...row(
    'finish_reason `content_filter`',
    {
      form: 'after text',
      answer: rawStream(say('Hello') + sseEvent(chunkOf({}, 'content_filter'))),
      before: 'Hello',
      fails: final('content_filtered', { message: /content_filter/ }),
    },
    {
      form: 'without a stream',
      stream: false,
      answer: { text: 'Hello', finishReason: 'content_filter' },
      fails: final('content_filtered'),
    },
    {
      form: 'as a status (Azure)',
      answer: { status: 400, body: { error: { code: 'content_filter', message: 'filtered' } } },
      fails: final('content_filtered', { status: 400 }),
    },
    {
      form: '`abort` is no end',
      answer: rawStream(say('Hello') + sseEvent(chunkOf({}, 'abort'))),
      fails: serviceFault('llm_truncated'),
    },
  ),
  ...row(
    'empty/whitespace content with `stop`',
    ...bothWays({ form: 'empty', answer: { text: '' }, fails: passing('empty_output') }),
    { form: 'whitespace', answer: { text: '', chunks: [' ', '\n\t'] }, fails: passing('empty_output') },
    {
      form: 'a nudge on the second try',
      skip: 'every try is the same request; the design has one schedule',
    },
  ),
  ...row(
    'usage missing / wrong',
    ...bothWays({
      form: 'missing',
      answer: { text: 'Hello', usage: null },
      gives: { text: 'Hello', usage: estimated },
    }),
    {
      form: 'negative, text, null',
      answer: { text: 'Hello', usage: { prompt_tokens: -1, completion_tokens: 'many', total_tokens: null } },
      gives: { text: 'Hello', usage: estimated },
    },
    {
      form: 'halves and too large',
      answer: { text: 'Hello', usage: { prompt_tokens: 1.5, completion_tokens: 1e300 } },
      gives: { text: 'Hello', usage: estimated },
    },
    {
      form: 'only the prompt',
      answer: { text: 'Hello', usage: { prompt_tokens: 30 } },
      gives: { text: 'Hello', usage: { ...estimated, inputTokens: 30 } },
    },
    {
      form: 'no object',
      answer: rawStream(say('Hello') + stop + sseEvent({ choices: [], usage: 'free' })),
      gives: { text: 'Hello', usage: estimated },
    },
    {
      form: 'right, with details',
      answer: {
        text: 'Hello',
        usage: {
          prompt_tokens: 11,
          completion_tokens: 7,
          prompt_tokens_details: { cached_tokens: 5 },
          completion_tokens_details: { reasoning_tokens: 3 },
        },
      },
      gives: {
        text: 'Hello',
        usage: { inputTokens: 11, outputTokens: 7, cachedTokens: 5, reasoningTokens: 3, estimated: false },
      },
    },
    { form: 'a price', skip: 'the ledger’s: test/workflows/prompt-repair.test.ts' },
  ),
  ...row('model returns wrong format (no fence, JSON with prose, unclosed fence, duplicate file, 0 files)', {
    form: 'any',
    skip: 'text of any form is delivered; files are the agents’: test/agents/extraction.test.ts',
  }),
  ...row('model loops / repeats', {
    form: 'any',
    skip: 'bounded by max_tokens, deadlines and size above; steps and budgets are the workflows’',
  }),
]
