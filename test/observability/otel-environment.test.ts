import { describe, expect, test } from 'vitest'
import { otelSecrets, readTraceSettings } from '../../src/observability/otel-environment.ts'

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }

describe('traces are wanted', () => {
  test.for([
    [{}, false],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }, false],
    [endpoint, true],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://collector/v1/traces' }, true],
    [{ ...endpoint, OTEL_SDK_DISABLED: 'TRUE' }, false],
    [{ ...endpoint, OTEL_SDK_DISABLED: 'no' }, true],
    [{ ...endpoint, OTEL_TRACES_EXPORTER: 'none' }, false],
    [{ ...endpoint, OTEL_TRACES_EXPORTER: 'otlp' }, true],
  ] as const)('%j: %s', ([variables, wanted]) => {
    const { settings, warnings } = readTraceSettings(variables)
    expect(settings !== null).toBe(wanted)
    expect(warnings).toEqual([])
  })
})

test('with nothing else said, every trace is sampled whose caller samples it, and OpenTelemetry decides the rest', () => {
  expect(readTraceSettings(endpoint).settings).toEqual({
    serviceName: null,
    sampler: 'parentbased_always_on',
    ratio: 1,
    batches: {},
  })
})

test('service name, sampler and batches are as the variables say', () => {
  const variables = {
    ...endpoint,
    OTEL_SERVICE_NAME: 'agents',
    OTEL_TRACES_SAMPLER: 'traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.25',
    OTEL_BSP_SCHEDULE_DELAY: '100',
    OTEL_BSP_MAX_QUEUE_SIZE: '10',
  }
  expect(readTraceSettings(variables)).toEqual({
    settings: {
      serviceName: 'agents',
      sampler: 'traceidratio',
      ratio: 0.25,
      batches: { scheduledDelayMillis: 100, maxQueueSize: 10 },
    },
    warnings: [],
  })
})

test('what makes no sense is one warning, and otherwise ignored', () => {
  const { settings, warnings } = readTraceSettings({
    ...endpoint,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_TRACES_EXPORTER: 'zipkin',
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: 'half',
    OTEL_BSP_SCHEDULE_DELAY: 'soon',
  })
  expect(settings).toMatchObject({ sampler: 'parentbased_traceidratio', ratio: 1, batches: {} })
  expect(warnings.map((warning) => warning.split(' ')[0])).toEqual([
    'OTEL_TRACES_EXPORTER',
    'OTEL_EXPORTER_OTLP_PROTOCOL',
    'OTEL_TRACES_SAMPLER_ARG',
    'OTEL_BSP_SCHEDULE_DELAY',
  ])
  expect(readTraceSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' })).toMatchObject({ settings: null })
  expect(readTraceSettings({ ...endpoint, OTEL_TRACES_SAMPLER: 'x' }).warnings).toHaveLength(1)
})

test('the values of headers are secrets, as they stand, decoded, and without their scheme', () => {
  const secrets = otelSecrets({
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20t0ken, api-key=k%',
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'x=y=z',
  })
  expect(secrets).toEqual(expect.arrayContaining(['Bearer%20t0ken', 'Bearer t0ken', 't0ken', 'k%', 'y=z']))
  expect(otelSecrets({})).toEqual([])
})
