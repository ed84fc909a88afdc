import { expect, test } from 'vitest'
import { observeHttp } from '../../src/observability/observe-http.ts'
import { captureLog } from '../support/captured-log.ts'
import { metricsFixture, samplesOf } from '../support/metrics-fixture.ts'

function observing() {
  const { log, lines } = captureLog()
  const metrics = metricsFixture()
  const defects: unknown[] = []
  const observer = observeHttp({ log, metrics, captureDefect: (error) => defects.push(error) })
  return { observer, lines, metrics, defects }
}

const request = {
  method: 'GET',
  route: '/workflows/:id',
  status: 200,
  durationMs: 1.234,
  correlationId: 'abc',
  key: '',
}

test('a request is one line and one measurement, by its route template', async () => {
  const { observer, lines, metrics } = observing()
  observer.requestFinished(request)
  expect(lines()).toEqual([
    {
      timestamp: '2026-01-14T10:30:00.123Z',
      level: 'INFO',
      logger: 'http.server',
      message: 'GET /workflows/:id 200',
      correlation_id: 'abc',
      duration_ms: 1.23,
      method: 'GET',
      route: '/workflows/:id',
      status: 200,
    },
  ])
  const labels = '{method="GET",route="/workflows/:id",status_code="200"}'
  expect(await samplesOf(metrics, 'http_request_duration_seconds_count')).toEqual({ [labels]: 1 })
})

test.for([
  [404, '/workflows/:id', 'INFO'],
  [500, '/workflows/:id', 'ERROR'],
  [503, '/workflows', 'WARNING'],
  [200, '/livez', 'DEBUG'],
  [503, '/readyz', 'DEBUG'],
] as const)('status %i of %s is %s', ([status, route, level]) => {
  const { observer, lines } = observing()
  observer.requestFinished({ ...request, status, route })
  expect(lines()).toMatchObject([{ level }])
})

test('a defect is logged with its stack and reported', () => {
  const { observer, lines, defects } = observing()
  const error = new TypeError('x is undefined')
  observer.requestFailed({ method: 'GET', route: '/workflows', correlationId: 'abc', error })
  expect(defects).toEqual([error])
  expect(lines()[0]).toMatchObject({ level: 'ERROR', correlation_id: 'abc', error: { type: 'TypeError' } })
  expect(lines()[0]?.['error']).toHaveProperty('stack')
})

test('a stream is one line when it closes', () => {
  const { observer, lines, metrics } = observing()
  const stream = { route: '/workflows/:id/events', correlationId: 'abc', key: '' }
  observer.streamOpened(stream)
  expect(metrics.json().gauges['sse.connections']).toBe(1)
  observer.streamClosed({ ...stream, frames: 3, bytes: 300, durationMs: 10, end: 'slow' })
  expect(metrics.json().gauges['sse.connections']).toBe(0)
  expect(lines().filter(({ level }) => level !== 'DEBUG')).toMatchObject([
    { logger: 'http.event-stream', correlation_id: 'abc', duration_ms: 10, frames: 3, bytes: 300, end: 'slow' },
  ])
})
