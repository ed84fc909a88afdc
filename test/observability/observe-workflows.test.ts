import { expect, test } from 'vitest'
import { observeWorkflows } from '../../src/observability/observe-workflows.ts'
import { captureLog } from '../support/captured-log.ts'
import { committedEvent, type EventOptions } from '../support/lifecycle-events.ts'
import { metricsFixture } from '../support/metrics-fixture.ts'
import { lifecycleTypes, type LifecycleType } from '../../src/workflows/events.ts'

function logged(type: LifecycleType, options: EventOptions = {}) {
  const { log, raw, lines } = captureLog()
  observeWorkflows({ log, metrics: null })(committedEvent(type, options))
  expect(raw).toHaveLength(1)
  return lines()[0]
}

const usage = { input_tokens: 100, output_tokens: 20, llm_calls: 2 }
const error = { code: 'llm_error', message: 'The model server answered 503', retryable: true }

test('the end of a task, exactly', () => {
  const { log, raw } = captureLog()
  const data = { output: 'THE ANSWER', artifacts: ['a.py'], usage, finish_reason: 'stop', duration_ms: 1234.56 }
  observeWorkflows({ log, metrics: null })(committedEvent('step.completed', { step: 'implementation', data }))
  expect(raw).toEqual([
    '{"timestamp":"2026-01-14T10:30:00.123Z","level":"INFO","logger":"agents.developer","message":"Task completed successfully","correlation_id":"abc123","agent_id":"developer","task_id":"task_implementation","workflow_id":"wf_1","duration_ms":1234.56,"step":"implementation","attempt":1,"finish_reason":"stop","input_tokens":100,"output_tokens":20,"llm_calls":2}\n',
  ])
})

test.for([
  ['workflow.queued', 'INFO', 'Workflow accepted'],
  ['workflow.started', 'INFO', 'Workflow started'],
  ['workflow.completed', 'INFO', 'Workflow completed'],
  ['workflow.cancelled', 'INFO', 'Workflow cancelled'],
] as const)('%s', ([type, level, message]) => {
  expect(logged(type)).toMatchObject({
    level,
    message,
    logger: 'workflows.engine',
    correlation_id: 'abc123',
    workflow_id: 'wf_1',
    type: 'feature_development',
  })
})

test('a failed workflow is an ERROR with its code, its reason and its time', () => {
  const data = { status: 'failed', reason: 'step_failed', duration_ms: 5, usage, error }
  expect(logged('workflow.failed', { data })).toMatchObject({
    level: 'ERROR',
    message: 'Workflow failed: The model server answered 503',
    error_code: 'llm_error',
    reason: 'step_failed',
    duration_ms: 5,
    llm_calls: 2,
  })
})

test('a direct task is called one', () => {
  expect(logged('workflow.completed', { kind: 'task' })).toMatchObject({ message: 'Direct task completed' })
})

test.for([
  ['step.queued', 'DEBUG', 'Task queued'],
  ['step.started', 'INFO', 'Task started'],
  ['step.continued', 'INFO', 'The output limit was hit; the model goes on'],
  ['step.skipped', 'INFO', 'Task skipped'],
  ['step.cancelled', 'INFO', 'Task cancelled'],
  ['artifact.created', 'DEBUG', 'Artifact created'],
] as const)('%s', ([type, level, message]) => {
  expect(logged(type, { step: 's', role: 'qa_engineer' })).toMatchObject({
    level,
    message,
    logger: 'agents.qa_engineer',
    agent_id: 'qa_engineer',
    task_id: 'task_s',
    step: 's',
  })
})

test('a retry is a WARNING with code and delay; a hand-over is planned', () => {
  expect(logged('step.retrying', { step: 's', data: { delay_ms: 1_500, error } })).toMatchObject({
    level: 'WARNING',
    message: 'Task begins a new attempt: The model server answered 503',
    error_code: 'llm_error',
    attempt: 1,
    delay_ms: 1_500,
  })
  const shutdown = { code: 'shutdown', message: 'It starts again elsewhere.' }
  expect(logged('step.retrying', { step: 's', data: { error: shutdown } })).toMatchObject({ level: 'INFO' })
})

test('a failed task is an ERROR, an incomplete one a WARNING', () => {
  expect(logged('step.failed', { step: 's', data: { error } })).toMatchObject({
    level: 'ERROR',
    error_code: 'llm_error',
  })
  expect(logged('step.incomplete', { step: 's', data: { error } })).toMatchObject({ level: 'WARNING' })
})

test('no event puts a requirement, an output or a feedback into the log', () => {
  const canary = 'CANARY text of a person or a model'
  const data = { requirement: canary, output: canary, feedback: canary, text: canary, context: { a: canary } }
  for (const type of lifecycleTypes) {
    const step = type.startsWith('workflow.') ? {} : { step: 's' }
    expect(JSON.stringify(logged(type, { ...step, data }))).not.toContain('CANARY')
  }
})

test('an observer that fails disturbs nobody, and says so', () => {
  const { log, lines } = captureLog({ level: 'ERROR' })
  const metrics = {
    ...metricsFixture(),
    recordWorkflow: () => {
      throw new Error('defect')
    },
  }
  observeWorkflows({ log, metrics })(committedEvent('workflow.started'))
  expect(lines()).toMatchObject([{ level: 'ERROR', error: { message: 'defect' } }])
})
