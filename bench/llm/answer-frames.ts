import { Buffer } from 'node:buffer'

/** The names under which the server knows its two ways of answering. */
export const modelNames = { paced: 'paced', flat: 'flat' } as const

export type BenchModel = keyof typeof modelNames

/** Tokens of one answer without a pace; at a pace it goes on until the client leaves. */
export const flatAnswerTokens = 2_000

// four characters each on average, as models have it
const tokens = [' the', ' stream', ' of', ' tokens', ',', ' and', ' so', ' on']

// the fields in the order and with the lengths that llama-server gives them
function chunk(choices: readonly unknown[], rest: Readonly<Record<string, unknown>> = {}): string {
  const fields = {
    choices,
    created: 1_763_900_000,
    id: 'chatcmpl-8RhaDdRYJXgkVUpEHa1XtxhYcFqTIkYV',
    model: 'qwen2.5-7b-instruct-q4_k_m',
    system_fingerprint: 'b7130-9f1f6a3e2',
    object: 'chat.completion.chunk',
  }
  return `data: ${JSON.stringify({ ...fields, ...rest })}\n\n`
}

function choice(delta: Readonly<Record<string, unknown>>, finishReason: string | null): readonly unknown[] {
  return [{ finish_reason: finishReason, index: 0, delta }]
}

/** An event as an HTTP chunk of its own. */
export function frameOf(event: string): Buffer {
  return Buffer.from(`${Buffer.byteLength(event).toString(16)}\r\n${event}\r\n`)
}

/** The event that brings one token. */
export function tokenEvent(content: string): string {
  return chunk(choice({ content }, null))
}

const events = tokens.map(tokenEvent)

/** Bytes of body that a token takes on average, without the framing of HTTP. */
export const bytesPerToken = events.reduce((sum, event) => sum + Buffer.byteLength(event), 0) / events.length

/** One HTTP chunk with one event for each token of the cycle that an answer repeats. */
export const tokenFrames: readonly Buffer[] = events.map(frameOf)

/** What precedes the first token. */
export const openingFrame = frameOf(chunk(choice({ role: 'assistant', content: null }, null)))

/** What follows the last of so many tokens. */
export function closingFrame(sentTokens: number): Buffer {
  return Buffer.concat([
    frameOf(chunk(choice({}, 'stop'))),
    frameOf(
      chunk([], {
        usage: {
          completion_tokens: sentTokens,
          prompt_tokens: 12,
          total_tokens: sentTokens + 12,
          prompt_tokens_details: { cached_tokens: 0 },
        },
      }),
    ),
    frameOf('data: [DONE]\n\n'),
  ])
}
