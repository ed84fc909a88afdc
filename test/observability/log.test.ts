import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test as base } from 'vitest'
import { AppError } from '../../src/errors.ts'
import { withTraceIds } from '../../src/trace-context.ts'
import { captureLog } from '../support/captured-log.ts'

const test = base.extend<{ directory: string }>({
  directory: async ({ task }, use) => {
    const directory = mkdtempSync(join(tmpdir(), `log-${task.id}-`))
    await use(directory)
    rmSync(directory, { recursive: true, force: true })
  },
})

const ids = { correlationId: 'abc123', agentId: 'developer', taskId: 'task_456', workflowId: 'wf_789' }

test('writes a line exactly in the fixed form, whatever the order of the fields', () => {
  const { log, raw } = captureLog()
  withTraceIds(ids, () =>
    log.logger('agents.developer').info('Task completed successfully', { zeta: 1, durationMs: 1234.5649 }),
  )
  expect(raw).toEqual([
    '{"timestamp":"2026-01-14T10:30:00.123Z","level":"INFO","logger":"agents.developer","message":"Task completed successfully","correlation_id":"abc123","agent_id":"developer","task_id":"task_456","workflow_id":"wf_789","duration_ms":1234.56,"zeta":1}\n',
  ])
})

test('leaves out what has no value', () => {
  const { log, raw } = captureLog()
  log.logger('main').info('Ready', { correlationId: null, durationMs: undefined, port: null })
  expect(raw).toEqual(['{"timestamp":"2026-01-14T10:30:00.123Z","level":"INFO","logger":"main","message":"Ready"}\n'])
})

test('names levels as the guide does', () => {
  const { log, lines } = captureLog()
  const logger = log.logger('main')
  logger.debug('a')
  logger.info('b')
  logger.warning('c')
  logger.error('d')
  logger.critical('e')
  expect(lines().map(({ level }) => level)).toEqual(['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'])
})

test.for([
  ['DEBUG', 5],
  ['INFO', 4],
  ['WARNING', 3],
  ['ERROR', 2],
  ['CRITICAL', 1],
] as const)('level %s lets %i of five lines through', ([level, count]) => {
  const { log, raw } = captureLog({ level })
  const logger = log.logger('main')
  logger.debug('a')
  logger.info('b')
  logger.warning('c')
  logger.error('d')
  logger.critical('e')
  expect(raw).toHaveLength(count)
})

test('an explicit id wins over that of the work at hand', () => {
  const { log, lines } = captureLog()
  withTraceIds(ids, () => log.logger('main').info('x', { workflowId: 'wf_other' }))
  expect(lines()[0]).toMatchObject({ workflow_id: 'wf_other', task_id: 'task_456' })
})

test('the ids follow the asynchronous work, and do not mix', async () => {
  const { log, lines } = captureLog()
  const logger = log.logger('main')
  const work = async (correlationId: string) => {
    await Promise.resolve()
    logger.info(correlationId)
  }
  await Promise.all(['a', 'b', 'c'].map((correlationId) => withTraceIds({ correlationId }, () => work(correlationId))))
  expect(lines().map((line) => [line['message'], line['correlation_id']])).toEqual([
    ['a', 'a'],
    ['b', 'b'],
    ['c', 'c'],
  ])
})

test('fields named like fixed keys cannot replace them', () => {
  const { log, lines } = captureLog()
  log.logger('main').info('the message', { message: 'm', level: 'l', timestamp: 't', logger: 'g', name: 'n', err: 'e' })
  expect(lines()[0]).toMatchObject({
    level: 'INFO',
    logger: 'main',
    message: 'the message',
    message_: 'm',
    level_: 'l',
    name: 'n',
    err: 'e',
  })
})

test('secrets are in no line: neither in messages, nor fields, nor errors', () => {
  const { log, raw } = captureLog({ secrets: ['CANARY_known_xyz'] })
  const leak = 'sk-CANARYxyz123 Bearer CANARY.token whsec_CANARYabc= postgres://user:CANARY@host/db CANARY_known_xyz'
  const error = new Error(leak, { cause: new Error(leak) })
  log.logger('main').error(leak, {
    error,
    detail: leak,
    nested: { list: [leak], [leak]: 1, apiKey: 'CANARY', password: 'CANARY', authorization: 'CANARY' },
    other: error,
  })
  expect(raw.join('')).not.toContain('CANARY')
  expect(raw.join('')).toContain('postgres://[redacted]@host/db')
})

test('an error shows type, message, code and status and nothing else; its stack only when it is a defect', () => {
  const { log, lines } = captureLog({ level: 'INFO' })
  const planned = new AppError('llm_error', 'The model server answered 503', { status: 503, retryable: true })
  const defect = Object.assign(new TypeError('x is undefined'), { code: 'E1', body: 'the prompt', headers: { a: 1 } })
  const logger = log.logger('main')
  logger.error('planned', { error: planned })
  logger.warning('defect, but no error line', { error: defect })
  logger.error('defect', { error: defect })
  expect(lines().map(({ error }) => error)).toEqual([
    { type: 'AppError', message: 'The model server answered 503', code: 'llm_error', status: 503 },
    { type: 'TypeError', message: 'x is undefined', code: 'E1' },
    {
      type: 'TypeError',
      message: 'x is undefined',
      code: 'E1',
      stack: expect.stringContaining('log.test.ts') as string,
    },
  ])
})

test('at DEBUG every error shows its stack', () => {
  const { log, lines } = captureLog({ level: 'DEBUG' })
  log.logger('main').info('x', { error: new AppError('conflict', 'no') })
  expect(lines()[0]?.['error']).toHaveProperty('stack')
})

test('never throws, whatever it is given', () => {
  const { log, lines } = captureLog()
  const cyclic: Record<string, unknown> = { big: 10n, when: new Date(Number.NaN), run: () => 1, symbol: Symbol('s') }
  cyclic['self'] = cyclic
  const hostile = {
    get value(): string {
      throw new Error('no')
    },
  }
  const logger = log.logger('main')
  logger.info('cyclic', { cyclic, bytes: Buffer.from('x'), map: new Map([['a', 1]]), nan: Number.NaN })
  logger.info('hostile', { hostile })
  logger.info('thrown', { error: 'a string' })
  expect(lines()).toHaveLength(3)
  expect(lines()[0]).toMatchObject({ bytes: '[1 bytes]', map: { a: 1 }, nan: 'NaN', cyclic: { big: '10' } })
  expect(lines()[2]).toMatchObject({ error: { type: 'string', message: 'a string' } })
})

test('readable text holds one line per line, also when the message tries to forge another', () => {
  const { log, raw } = captureLog({ structured: false })
  log
    .logger('llm.client')
    .warning('evil\u001b[2J\n10:00 INFO forged', { endpoint: 'default', durationMs: 3, note: 'a b' })
  expect(raw).toEqual([
    '10:30:00.123 WARNING  llm.client evil\\x1b[2J\\x0a10:00 INFO forged duration_ms=3 endpoint=default note="a b"\n',
  ])
})

test('colour only where it is asked for', () => {
  const coloured = captureLog({ structured: false, coloured: true })
  coloured.log.logger('main').error('x')
  expect(coloured.raw[0]).toContain('\u001b[31mERROR')
  const plain = captureLog({ structured: false, coloured: false })
  plain.log.logger('main').error('x')
  // oxlint-disable-next-line no-control-regex
  expect(plain.raw[0]).not.toMatch(/\u001b/)
})

test('the file gets the same JSON lines, its directory is made, and others cannot read it', async ({ directory }) => {
  const file = join(directory, 'new', 'logs', 'service.log')
  const { log, raw } = captureLog({ file })
  log.logger('main').info('one')
  log.logger('main').info('two')
  await log.close()
  expect(readFileSync(file, 'utf8')).toBe(raw.join(''))
  expect(statSync(file).mode & 0o137).toBe(0)
})

test('the file is JSON also where stdout is readable text, and is appended to', async ({ directory }) => {
  const file = join(directory, 'service.log')
  writeFileSync(file, 'earlier\n')
  const { log } = captureLog({ file, structured: false })
  log.logger('main').info('one')
  await log.flush()
  const [earlier, line] = readFileSync(file, 'utf8').split('\n')
  expect(earlier).toBe('earlier')
  expect(JSON.parse(line ?? '')).toMatchObject({ message: 'one' })
  await log.close()
})

test('a file that cannot be opened is one WARNING, not an end', async ({ directory }) => {
  const blocked = join(directory, 'a-file')
  writeFileSync(blocked, '')
  const { log, lines } = captureLog({ file: join(blocked, 'service.log') })
  log.logger('main').info('goes on')
  await log.close()
  expect(lines()).toMatchObject([{ level: 'WARNING', logger: 'observability.log' }, { message: 'goes on' }])
})

test('a disk that is full is one WARNING, not an end', async ({ skip }) => {
  const { log, lines } = captureLog({ file: '/dev/full' })
  skip(lines().length > 0, 'there is no /dev/full here')
  for (let i = 0; i < 10; i += 1) log.logger('main').info(`line ${i}`)
  await log.flush()
  log.logger('main').info('goes on')
  await log.close()
  const warnings = lines().filter(({ level }) => level === 'WARNING')
  expect(warnings).toMatchObject([{ reason: 'ENOSPC' }])
  expect(lines().at(-1)).toMatchObject({ message: 'goes on' })
})

test('lines after the end are dropped, and closing twice is harmless', async ({ directory }) => {
  const file = join(directory, 'service.log')
  const { log, raw } = captureLog({ file })
  log.logger('main').info('one')
  await log.close()
  log.logger('main').info('two')
  await log.close()
  expect(raw).toHaveLength(1)
  expect(readFileSync(file, 'utf8')).toBe(raw.join(''))
})
