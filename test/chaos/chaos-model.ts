import { LLMock } from '@copilotkit/aimock'
import type { ChatCompletionRequest, FixtureOpts } from '@copilotkit/aimock'
import { readPrompt, scriptedAnswer } from './assignments.ts'
import type { Fault, FaultPlan } from './fault-plan.ts'

/** A call as the model server saw it. */
export interface SeenCall {
  readonly run: number
  readonly step: string
  /** What the server did to it. */
  readonly fate: string
}

export interface ChaosModel {
  /** For `OPENAI_API_BASE`. */
  readonly url: string
  /** Every call so far, and how many there were that belong to nobody. */
  calls(): { readonly known: readonly SeenCall[]; readonly strangers: number }
  stop(): Promise<void>
}

const streaming = { latency: 1, chunkSize: 48 }

/** What aimock is told to do for each kind of call. */
const behaviours: Readonly<Record<Fault, FixtureOpts>> = {
  none: {},
  drop: { chaos: { dropRate: 1 } },
  malformed: { chaos: { malformedRate: 1 } },
  rateLimit: { chaos: { rateLimitRate: 1 } },
  disconnect: { chaos: { disconnectRate: 1 } },
  slow: { chaos: { latencyMs: 700 } },
  cut: { truncateAfterChunks: 7 },
}

/** Starts aimock on a free port of 127.0.0.1, where each call goes as the plan says. */
export async function startChaosModel(seed: number, plan: FaultPlan): Promise<ChaosModel> {
  const mock = new LLMock({ port: 0, host: '127.0.0.1', journalMaxEntries: 0 })
  // its own dice are not seeded: the plan chooses the fixture, and each fixture's chaos is certain
  mock.setChaos({ dropRate: 0, malformedRate: 0, rateLimitRate: 0, disconnectRate: 0, latencyMs: 0 })
  const answer = ({ messages }: ChatCompletionRequest) => {
    const { run, step } = promptOf(messages) ?? { run: -1, step: '' }
    return { content: scriptedAnswer(seed, run, step) }
  }
  const faultOf = countCalls(plan)
  for (const [fault, options] of Object.entries(behaviours)) {
    mock.on({ predicate: (request) => faultOf(request) === fault }, answer, { ...streaming, ...options })
  }
  await mock.start()
  return {
    url: `${mock.url}/v1`,
    calls: () => readJournal(mock),
    stop: () => mock.stop(),
  }
}

/** The plan's answer for a request, which aimock asks for once per fixture. */
function countCalls(plan: FaultPlan): (request: ChatCompletionRequest) => Fault | null {
  const calls = new Map<string, number>()
  const decided = new WeakMap<ChatCompletionRequest, Fault>()
  return (request) => {
    const prompt = promptOf(request.messages)
    const known = decided.get(request)
    if (prompt === null || known !== undefined) return known ?? null
    const key = `${prompt.run} ${prompt.step}`
    const call = (calls.get(key) ?? 0) + 1
    calls.set(key, call)
    const fault = plan.faultOf(prompt.run, prompt.step, call)
    decided.set(request, fault)
    return fault
  }
}

function promptOf(messages: ChatCompletionRequest['messages']) {
  const content = messages.findLast(({ role }) => role === 'user')?.content
  return typeof content === 'string' ? readPrompt(content) : null
}

function readJournal(mock: LLMock): { known: readonly SeenCall[]; strangers: number } {
  const entries = mock.getRequests().filter(({ path }) => path.includes('/chat/completions'))
  const known = entries.flatMap(({ body, response }) => {
    const prompt =
      body !== null && 'messages' in body ? promptOf(body.messages as ChatCompletionRequest['messages']) : null
    const { chaosAction, fixture, interruptReason, status } = response
    const plain = fixture?.chaos?.latencyMs === undefined ? String(status) : 'slow'
    return prompt === null ? [] : [{ ...prompt, fate: chaosAction ?? interruptReason ?? plain }]
  })
  return { known, strangers: entries.length - known.length }
}
