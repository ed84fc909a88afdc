import { describe, expect } from 'vitest'
import { isLaterKey, isLaterVariable } from '../../src/config/later-settings.ts'
import { listSettings } from '../../src/config/setting-list.ts'
import { SETTING_GROUPS } from '../../src/config/settings.ts'
import { test } from './settings-directory.ts'

const VARIABLES = [
  'API_KEYS',
  'API_KEYS_FILE',
  'RATE_LIMIT_PER_MINUTE',
  'STREAM_TICKET_SECONDS',
  'OVERLOAD_EVENT_LOOP_DELAY_MS',
  'LOG_FILE_KEEP_DAYS',
  'MAX_SSE_CONNECTIONS_PER_KEY',
]

const KEYS = ['api_keys', 'api_keys_file', 'stream_ticket_seconds']

describe('a setting that this version does not have', () => {
  test.for(VARIABLES)('%s is refused, and its value not shown', (name, { directory }) => {
    expect(directory.faults({ [name]: 'canary' })).toEqual([`${name}: this version has no such setting`])
    expect(directory.load({ [name]: ' ' }).warnings).toEqual([])
    directory.write('.env', `${name}=canary\n`)
    expect(directory.faults()).toEqual([`.env: ${name}: this version has no such setting`])
  })

  test.for(KEYS)('%s is refused in YAML', (name, { directory }) => {
    directory.write('config.yaml', `${name}: 1\n`)
    expect(directory.faults()).toEqual([`config.yaml:1: unknown key ${name}: this version has no such setting`])
  })

  test('is reported with every other mistake', ({ directory }) => {
    expect(directory.faults({ API_KEYS: 'me:abc', PORT: 'x' })).toHaveLength(2)
  })
})

test('OpenTelemetry may be configured for others', ({ directory }) => {
  expect(directory.load({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' }).warnings).toEqual([])
})

test('what is a setting is not on the list any more', () => {
  const settings = SETTING_GROUPS.flatMap((group) => listSettings(Object.keys(group.settings)))
  const names = settings.flatMap(({ variables }) => variables.flatMap((name) => [name, `${name}_FILE`]))
  expect(names.filter(isLaterVariable)).toEqual([])
  expect(settings.map(({ path }) => path[0] ?? '').filter(isLaterKey)).toEqual([])
})
