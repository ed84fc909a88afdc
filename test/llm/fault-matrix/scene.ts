import { createLlmClient } from '../../../src/llm/llm-client.ts'
import type { LlmEvent, ModelEvent } from '../../../src/llm/model.ts'
import type { Behaviour, SeenCall } from '../../support/fault-answers.ts'
import { startModelServer } from '../../support/fault-server.ts'
import { neverAborted, optionsFor, type Outcome, plainRequest } from '../llm-fixture.ts'
import { createWatchedClock } from '../watched-clock.ts'
import type { Backstage, PlayedCase, Scene, Stage } from './fault-case.ts'

const defaults = {
  connectTimeoutMs: 5_000,
  firstTokenTimeoutMs: 0,
  idleTimeoutMs: 60_000,
  callTimeoutMs: 300_000,
  maxResponseBytes: 16_777_216,
  breaker: { threshold: 1, openMs: 60_000, halfOpen: 1 },
}

/** Sets the scene of one case. */
export async function openScene(played: PlayedCase): Promise<Scene> {
  const clock = createWatchedClock()
  const readers = createReaders()
  const closers: (() => Promise<void> | void)[] = []
  const told: LlmEvent[] = []
  const stage: Stage = { clock, reader: readers.reached }
  const server = await startModelServer({ ...played.server, answer: (call) => answerOf(played, { stage, call }) })
  const backstage: Backstage = { clock, server, atEnd: (close) => void closers.unshift(close) }
  const { url, mend = null } = (await played.upstream?.(backstage)) ?? { url: server.url, mend: async () => {} }
  const client = createLlmClient(optionsFor(url, { ...defaults, ...played.options }), {
    clock,
    observe: (event) => told.push(event),
  })
  return {
    ...backstage,
    client,
    told,
    mend,
    call: (request = {}) => readAll(client.stream({ ...plainRequest, ...request }, neverAborted), readers),
    close: async () => {
      await client.close()
      for (const close of closers) await close()
      await server.close()
    },
  }
}

function answerOf(
  { answer = 'ok' }: PlayedCase,
  { stage, call }: { readonly stage: Stage; readonly call: SeenCall },
): Behaviour | Promise<Behaviour> {
  if (call.index > 0) return 'ok'
  return typeof answer === 'function' ? answer(stage, call) : answer
}

interface Readers {
  readonly reached: (text: string) => Promise<void>
  readonly tell: (text: string) => void
}

function createReaders(): Readers {
  let read = ''
  let look = (): void => {}
  return {
    tell: (text) => {
      read = text
      look()
    },
    reached: async (text) => {
      await new Promise<void>((resolve) => {
        look = () => {
          if (read.startsWith(text)) resolve()
        }
        look()
      })
      // until the reader has asked for more: its own time is not the server's
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
}

async function readAll(stream: AsyncIterable<ModelEvent>, readers: Readers): Promise<Outcome> {
  const events: ModelEvent[] = []
  let text = ''
  try {
    for await (const event of stream) {
      events.push(event)
      if (event.type === 'text') text += event.text
      readers.tell(text)
    }
    return { events, text, failure: null }
  } catch (failure) {
    return { events, text, failure: failure as Outcome['failure'] }
  }
}
