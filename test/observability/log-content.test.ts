import { expect, test } from 'vitest'
import type { Agents, AgentTask } from '../../src/agents/agent.ts'
import type { Model, ModelEvent, ModelRequest } from '../../src/llm/model.ts'
import { logContent } from '../../src/observability/log-content.ts'
import { observeAgents } from '../../src/observability/observe-agents.ts'
import { captureLog } from '../support/captured-log.ts'
import { metricsFixture } from '../support/metrics-fixture.ts'

const target = { endpoint: 'default', model: 'devstral', contextWindow: 4_096, tokenRatio: 1 }
const request: ModelRequest = {
  target,
  messages: [
    { role: 'system', content: 'You are a developer.' },
    { role: 'user', content: 'Build it.' },
  ],
  inputTokens: 1,
  temperature: 0,
  maxTokens: 10,
  stream: true,
}

function modelOf(stream: () => AsyncIterable<ModelEvent>): Model {
  return {
    targets: async () => [target],
    admit: () => ({ target, release: () => {} }),
    whenReady: async () => {},
    readyInMs: () => 0,
    refusal: () => null,
    stream,
  }
}

test('with log_content a call is its prompt and its answer, and its events are unchanged', async () => {
  const events: ModelEvent[] = [
    { type: 'text', text: 'Hel' },
    { type: 'text', text: 'lo' },
    { type: 'end', finishReason: 'stop', model: 'devstral' },
  ]
  const { log, lines } = captureLog()
  const model = logContent(
    modelOf(async function* () {
      yield* events
    }),
    log,
  )
  expect(await Array.fromAsync(model.stream(request, new AbortController().signal))).toEqual(events)
  expect(lines()).toMatchObject([
    { logger: 'llm.content', message: 'Prompt', messages: request.messages, model: 'devstral' },
    { logger: 'llm.content', message: 'Answer', answer: 'Hello', finish_reason: 'stop' },
  ])
})

test('a call that fails is logged as far as it came, and fails the same', async () => {
  const { log, lines } = captureLog()
  const model = logContent(
    modelOf(async function* () {
      yield { type: 'text', text: 'Hel' }
      throw new Error('cut')
    }),
    log,
  )
  await expect(Array.fromAsync(model.stream(request, new AbortController().signal))).rejects.toThrow('cut')
  expect(lines().at(-1)).toMatchObject({ message: 'Answer', answer: 'Hel' })
})

test('a prompt that was cut is logged and counted, one that was not is neither', () => {
  const { log, lines } = captureLog()
  const metrics = metricsFixture()
  const task: AgentTask = {
    role: 'developer',
    step: 's',
    taskType: null,
    instruction: 'x',
    requirement: null,
    context: {},
    files: [],
    earlier: [],
    target,
    options: {},
    revision: null,
    carried: null,
    promptLimit: null,
    mayCut: true,
  }
  let truncatedInput = false
  const agents: Agents = {
    profiles: [],
    profile: () => undefined,
    extract: () => ({ artifacts: [], rejected: [] }),
    prepare: () => ({
      truncatedInput,
      firstCall: { inputTokens: 1, maxTokens: 1 },
      run: async () => ({ complete: true, finishReason: 'stop', model: 'devstral' }),
    }),
  }
  const observed = observeAgents(agents, { log, metrics })
  observed.prepare(task)
  expect(lines()).toHaveLength(0)
  truncatedInput = true
  observed.prepare(task)
  expect(lines()).toMatchObject([{ agent_id: 'developer', step: 's', context_window: 4_096 }])
  expect(metrics.json().counters['llm.context.truncation']).toBe(1)
})
