import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { writeMetricsSnapshot } from '../../src/observability/metrics-json.ts'
import { createSampleWindow } from '../../src/observability/sample-window.ts'
import { captureLog } from '../support/captured-log.ts'
import { committedEvent } from '../support/lifecycle-events.ts'
import { metricsFixture } from '../support/metrics-fixture.ts'

const call = { endpoint: 'default', model: 'devstral', firstTokenMs: null, usage: null } as const
const nothing = { count: 0, min: 0, max: 0, avg: 0, p50: 0, p95: 0, p99: 0 }

function measured(values: readonly number[], size?: number) {
  const samples = createSampleWindow(size)
  for (const value of values) samples.add(value)
  return samples.distribution()
}

test("has all of the guide's names from the start, at 0", () => {
  const { counters, histograms } = metricsFixture().json()
  expect(counters).toEqual({
    'llm.request': 0,
    'llm.success': 0,
    'llm.error': 0,
    'llm.timeout': 0,
    'llm.retry': 0,
    'llm.circuit_breaker.open': 0,
    'llm.context.truncation': 0,
    'agent.task.start': 0,
    'agent.task.complete': 0,
    'agent.task.error': 0,
    'workflow.start': 0,
    'workflow.complete': 0,
    'workflow.error': 0,
  })
  expect(histograms).toEqual({
    'llm.request.duration_ms': nothing,
    'llm.generation.duration_ms': nothing,
    'agent.task.duration_ms': nothing,
    'workflow.duration_ms': nothing,
  })
})

test('counts a run', () => {
  const metrics = metricsFixture()
  for (const outcome of ['success', 'llm_timeout', 'llm_error', 'aborted'] as const) {
    metrics.recordLlm({ type: 'llm.call_started', ...call })
    metrics.recordLlm({ type: 'llm.call_ended', ...call, outcome, durationMs: 1_000 })
  }
  metrics.recordLlm({ type: 'llm.breaker_changed', ...call, state: 'open', retryInMs: 60_000 })
  metrics.recordLlm({ type: 'llm.breaker_changed', ...call, state: 'half_open', retryInMs: null })
  metrics.recordPromptCut()
  const step = { step: 's' }
  metrics.recordWorkflow(committedEvent('workflow.started'))
  metrics.recordWorkflow(committedEvent('step.started', step))
  metrics.recordWorkflow(committedEvent('step.retrying', { ...step, data: { error: { code: 'llm_timeout' } } }))
  metrics.recordWorkflow(committedEvent('step.incomplete', { ...step, data: { duration_ms: 200 } }))
  metrics.recordWorkflow(committedEvent('workflow.completed', { data: { duration_ms: 300 } }))
  const { counters, histograms } = metrics.json()
  expect(counters).toEqual({
    'llm.request': 4,
    'llm.success': 1,
    'llm.error': 2,
    'llm.timeout': 1,
    'llm.retry': 1,
    'llm.circuit_breaker.open': 1,
    'llm.context.truncation': 1,
    'agent.task.start': 1,
    'agent.task.complete': 0,
    'agent.task.error': 1,
    'workflow.start': 1,
    'workflow.complete': 1,
    'workflow.error': 0,
  })
  expect(histograms['llm.request.duration_ms']).toMatchObject({ count: 4, avg: 1_000 })
  expect(histograms['llm.generation.duration_ms']).toMatchObject({ count: 1 })
  expect(histograms['agent.task.duration_ms']).toMatchObject({ count: 1, max: 200 })
  expect(histograms['workflow.duration_ms']).toMatchObject({ count: 1, p99: 300 })
})

test('percentiles are right for few samples', () => {
  expect(measured([7])).toEqual({ count: 1, min: 7, max: 7, avg: 7, p50: 7, p95: 7, p99: 7 })
  expect(measured([20, 10])).toMatchObject({ p50: 10, p95: 20, p99: 20 })
  expect(measured([3, 1, 2])).toMatchObject({ p50: 2, p95: 3, avg: 2 })
  const hundred = measured(Array.from({ length: 100 }, (_, i) => 100 - i))
  expect(hundred).toMatchObject({ p50: 50, p95: 95, p99: 99, max: 100 })
})

test('memory is bounded: percentiles are of the latest samples, the rest of all', () => {
  const values = [1_000, ...Array.from({ length: 10 }, () => 1)]
  expect(measured(values, 10)).toEqual({ count: 11, min: 1, max: 1_000, avg: 91.818, p50: 1, p95: 1, p99: 1 })
})

test('what is no number is not measured', () => {
  expect(measured([Number.NaN, Number.POSITIVE_INFINITY])).toEqual(nothing)
})

test('figures are in order, and percentiles are samples', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 100_000 }), { minLength: 1, maxLength: 200 }), (values) => {
      const { min, p50, p95, p99, max } = measured(values)
      expect([min, p50, p95, p99, max]).toEqual([min, p50, p95, p99, max].toSorted((a, b) => a - b))
      for (const percentile of [p50, p95, p99]) expect(values).toContain(percentile)
      expect(values.filter((value) => value <= p95).length / values.length).toBeGreaterThanOrEqual(0.95)
    }),
  )
})

test('the snapshot file holds the view; one that cannot be written is one WARNING', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'snapshot-'))
  const { log, lines } = captureLog()
  const view = metricsFixture().json()
  const file = join(directory, 'deep', 'metrics_final.json')
  await writeMetricsSnapshot(view, file, log.logger('main'))
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(JSON.parse(JSON.stringify(view)))
  await writeMetricsSnapshot(view, join(file, 'below-a-file.json'), log.logger('main'))
  expect(lines()).toMatchObject([
    { level: 'WARNING', message: expect.stringContaining('METRICS_SNAPSHOT_FILE') as string },
  ])
  rmSync(directory, { recursive: true })
})
