import fastify from 'fastify'
import { expect, test } from 'vitest'
import { AppError } from '../../src/errors.ts'
import { startSentry } from '../../src/observability/sentry.ts'
import { withTraceIds } from '../../src/trace-context.ts'
import { startFakeSentry } from '../support/fake-sentry.ts'

const options = { environment: 'test', release: '1.2.3', tracesSampleRate: 1 }

test('without a DSN nothing is loaded and nothing happens', async () => {
  const sentry = await startSentry({ ...options, dsn: '' })
  sentry.captureDefect(new Error('x'))
  await sentry.close(2_000)
  expect(Reflect.get(globalThis, '__SENTRY__')).toBeUndefined()
})

test('what is no DSN is refused, without repeating it', async () => {
  const refused = startSentry({ ...options, dsn: 'https://CANARY-key@sentry.test/' })
  await expect(refused).rejects.toThrow(/^SENTRY_DSN is not a DSN of Sentry/)
  await expect(refused).rejects.not.toThrow('CANARY')
})

test('a defect is reported with our ids, and with nothing of prompt, body, header or query', async () => {
  const upstream = await startFakeSentry()
  const sentry = await startSentry({ ...options, dsn: upstream.dsn, secrets: ['CANARY-configured'] })
  const app = fastify()
  app.post('/workflows/:id', (_request, reply) => {
    withTraceIds({ correlationId: 'abc123', workflowId: 'wf_1', agentId: 'developer' }, () => {
      // oxlint-disable-next-line no-console -- Sentry listens to the console unless it is told not to
      console.info('CANARY-console')
      const prompt = 'CANARY-prompt: build a bank'
      const cause = new SyntaxError(`Unexpected token 'C', "${prompt}" is not valid JSON`)
      sentry.captureDefect(new TypeError('it broke with sk-CANARYkey12345 CANARY-configured', { cause }))
    })
    return reply.code(503).send('CANARY-answer')
  })
  app.get('/unavailable', () => {
    throw new AppError('unavailable', 'The database is away.')
  })
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  const answer = await fetch(`${address}/workflows/CANARY-id?requirement=CANARY-query`, {
    method: 'POST',
    headers: {
      authorization: 'Bearer CANARY-token',
      cookie: 'a=CANARY-cookie',
      'x-custom': 'CANARY-header',
      'content-type': 'application/json',
    },
    body: JSON.stringify({ requirement: 'CANARY-body' }),
  })
  expect(answer.status).toBe(503)
  await fetch(`${address}/unavailable`)
  await app.close()
  await sentry.close(2_000)
  await upstream.close()

  const sent = upstream.envelopes.join('\n')
  expect(sent).toContain('it broke with [redacted] [redacted]')
  expect(sent).toContain('"release":"1.2.3"')
  expect(sent).toContain('"correlation_id":"abc123"')
  expect(sent).toContain('"workflow_id":"wf_1"')
  expect(sent).toContain('"name":"POST /workflows/:id"')
  expect(withoutSourceLines(sent)).not.toContain('The database is away')
  expect(withoutSourceLines(sent)).not.toContain('CANARY')
})

// the frames hold the source of this test, which names every canary
function withoutSourceLines(envelopes: string): string {
  return envelopes.replaceAll(/"(?:pre_context|post_context)":\[[^\]]*\]|"context_line":"(?:[^"\\]|\\.)*"/g, '')
}
