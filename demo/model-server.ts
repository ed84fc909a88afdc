import { LLMock } from '@copilotkit/aimock'
import type { ChatCompletionRequest, StreamingProfile } from '@copilotkit/aimock'

import type { ScriptedAnswer } from './answers.ts'

/** Name under which the scripted team answers. */
export const SCRIPTED_MODEL = 'scripted-team'

/** A running scripted model server. */
export interface ModelServer {
  /** For `OPENAI_API_BASE`, with `/v1`. */
  readonly url: string
  readonly model: string
  close(): Promise<void>
}

const CHUNK_CHARACTERS = 14
const FIRST_TOKEN_MS = 350
const CHARACTERS_PER_SECOND = 750
const LONGEST_ANSWER_MS = 10_000
const STEP_LINE = /^Step: ([A-Za-z0-9_-]+)(?: \(([^)\n]+)\))?/m

/**
 * Starts an OpenAI-compatible server on a free port of 127.0.0.1 that gives each step its written answer, streamed at
 * `pace` (1: none takes much longer than 10 s; 0: without waiting). A step without one gets a short general answer.
 */
export async function startModelServer(answers: readonly ScriptedAnswer[], pace: number): Promise<ModelServer> {
  const mock = new LLMock({ port: 0, host: '127.0.0.1', chunkSize: CHUNK_CHARACTERS })
  for (const { step, text } of answers) {
    mock.on(
      { model: SCRIPTED_MODEL, predicate: (request) => findStep(request)?.step === step },
      { content: text },
      paceOptions(text.length, pace),
    )
  }
  mock.on({ model: SCRIPTED_MODEL }, (request) => ({ content: generalAnswer(request) }), paceOptions(900, pace))
  await mock.start()
  return { url: `${mock.url}/v1`, model: SCRIPTED_MODEL, close: () => mock.stop() }
}

/** How one answer is streamed. Timers wait at least a millisecond, so pace 0 has no profile at all. */
function paceOptions(characters: number, pace: number): { streamingProfile?: StreamingProfile } {
  if (pace === 0) return {}
  const wholeMs = Math.min(LONGEST_ANSWER_MS, (characters / CHARACTERS_PER_SECOND) * 1_000)
  const chunks = Math.max(1, characters / CHUNK_CHARACTERS)
  return { streamingProfile: { ttft: FIRST_TOKEN_MS / pace, tps: (chunks / wholeMs) * 1_000 * pace, jitter: 0.4 } }
}

function findStep(request: ChatCompletionRequest): { step: string; role: string } | null {
  for (const message of request.messages.toReversed()) {
    if (message.role !== 'user') continue
    const text = Array.isArray(message.content)
      ? message.content.map((part) => part.text ?? '').join('')
      : (message.content ?? '')
    const [, step, role = 'agent'] = STEP_LINE.exec(text) ?? []
    if (step !== undefined) return { step, role }
  }
  return null
}

function generalAnswer(request: ChatCompletionRequest): string {
  const { step, role } = findStep(request) ?? { step: 'task', role: 'agent' }
  return [
    `# ${step}`,
    '',
    `This is the ${role} of the scripted team, working on \`${step}\`. The demo has written answers for the steps of the`,
    'built-in templates; this step is not one of them, so here is how I would go about it.',
    '',
    '1. Read the requirement and what the team has delivered so far, and note what is missing or contradictory.',
    '2. Agree on the smallest result that is useful, and on how everybody will see that it is reached.',
    '3. Deliver it in that form, with the assumptions it rests on written beside it.',
    '',
    'For a real answer, point the service at a model server: `npm run demo -- --llm http://127.0.0.1:8080/v1`.',
    '',
  ].join('\n')
}
