import { expect } from 'vitest'
import { final, type FaultCase, row, say, serviceFault, stop } from './fault-case.ts'
import { closedPort, listen, listenWithCertificate } from './sockets.ts'
import { rawStream } from '../../support/fault-answers.ts'

const untrusted = final('llm_unreachable', { message: /certificate is not valid.*NODE_EXTRA_CA_CERTS/ })

/** Faults before the answer: no connection, or none that lasts. */
export const connectionRows: readonly FaultCase[] = [
  ...row('connection refused', {
    form: 'the port opens later',
    upstream: async (backstage) => {
      const { port, open } = await closedPort(backstage)
      return { url: `http://127.0.0.1:${port}/v1`, mend: open }
    },
    calls: 0,
    fails: serviceFault('llm_unreachable', { message: /refuses connections \(ECONNREFUSED\)/ }),
  }),
  ...row(
    'DNS failure (ENOTFOUND / EAI_AGAIN)',
    {
      form: 'a name that does not exist',
      upstream: async () => ({ url: 'http://nonexistent.invalid/v1' }),
      calls: 0,
      fails: serviceFault('llm_unreachable', {
        message: /^The name of the model server .*\((?:ENOTFOUND|EAI_AGAIN)\)/,
      }),
    },
    {
      form: 'ENOTFOUND gives up after 2 tries',
      skip: 'the design has one schedule for all connection errors',
    },
  ),
  ...row(
    'TLS error (expired, wrong host, wrong version)',
    {
      form: 'nobody trusts the issuer',
      upstream: async (backstage) => {
        const port = await listenWithCertificate(backstage, { trusted: false, daysLeft: 2 })
        return { url: `https://localhost:${port}/v1` }
      },
      calls: 0,
      fails: { ...untrusted, breaker: 'opens' },
    },
    {
      form: 'expired',
      upstream: async (backstage) => {
        const port = await listenWithCertificate(backstage, { trusted: true, daysLeft: -2 })
        return { url: `https://localhost:${port}/v1` }
      },
      calls: 0,
      fails: { ...untrusted, breaker: 'opens', message: /CERT_HAS_EXPIRED/ },
    },
    {
      form: 'for another host',
      upstream: async (backstage) => {
        const port = await listenWithCertificate(backstage, { trusted: true, daysLeft: 2 })
        return { url: `https://127.0.0.1:${port}/v1` }
      },
      calls: 0,
      fails: { ...untrusted, breaker: 'opens', message: /ERR_TLS_CERT_ALTNAME_INVALID/ },
    },
    {
      form: 'a port that speaks no TLS',
      upstream: async ({ server }) => ({ url: server.url.replace('http:', 'https:') }),
      calls: 0,
      fails: serviceFault('llm_unreachable', { message: /No secure connection/ }),
    },
    {
      form: 'reset in the handshake',
      upstream: async (backstage) => {
        const port = await listen(backstage, (socket) => socket.once('data', () => socket.resetAndDestroy()))
        return { url: `https://127.0.0.1:${port}/v1` }
      },
      calls: 0,
      fails: serviceFault('llm_error', { message: /ECONNRESET/ }),
    },
  ),
  ...row('connect timeout / blackhole', {
    form: 'the handshake is never answered',
    upstream: async (backstage) => ({ url: `https://127.0.0.1:${await listen(backstage, () => {})}/v1` }),
    options: { connectTimeoutMs: 50 },
    calls: 0,
    fails: serviceFault('llm_unreachable', { message: /LLM_CONNECT_TIMEOUT/ }),
  }),
  ...row(
    'proxy resets idle keep-alive socket',
    {
      form: 'before a byte of the next answer',
      answer: { connection: 'reset' },
      fails: serviceFault('llm_error', { message: /before it answered \(ECONNRESET\)/ }),
    },
    {
      form: 'closed, without an answer',
      answer: { connection: 'hangup' },
      fails: serviceFault('llm_error', { message: /before it answered/ }),
    },
    {
      form: 'closed between two calls',
      answer: rawStream(say('a') + stop, 'reset'),
      gives: { text: 'a', usage: { estimated: true } },
      also: async ({ call, server }) => {
        expect(await call()).toMatchObject({ text: 'ok', failure: null })
        expect(server.calls[1]?.remotePort).not.toBe(server.calls[0]?.remotePort)
      },
    },
    {
      form: 'a server that keeps sockets for 1 s gets each call on a new one',
      server: { keepAliveMs: 1_000 },
      answer: 'a',
      gives: { text: 'a' },
      also: async ({ call, server }) => {
        expect(await call()).toMatchObject({ text: 'ok', failure: null })
        expect(server.calls[1]?.remotePort).not.toBe(server.calls[0]?.remotePort)
      },
    },
    {
      form: 'one immediate retry inside the client',
      skip: 'the design has one retry layer; the next try follows its schedule',
    },
  ),
  ...row(
    'redirect (302/307)',
    ...[302, 307].map((status) => ({
      form: `${status}`,
      answer: { status, headers: { location: '/elsewhere/v1/chat/completions' } },
      fails: final('llm_rejected', { status, message: /redirect, which is not followed/ }),
      also: ({ server }: { readonly server: { readonly gets: readonly string[] } }) =>
        expect(server.gets.filter((path) => path.startsWith('/elsewhere'))).toEqual([]),
    })),
  ),
]
