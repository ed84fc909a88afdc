import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { describe, expect, onTestFinished } from 'vitest'
import { classifyNetworkError, networkCodeOf } from '../../src/llm/network-failures.ts'
import { createLlmClient } from '../../src/llm/llm-client.ts'
import { collect, neverAborted, optionsFor, plainRequest, test } from './llm-fixture.ts'

async function listenSilently(): Promise<number> {
  const sockets = new Set<{ destroy(): void }>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  return (server.address() as AddressInfo).port
}

async function callOnce(baseUrl: string, connectTimeoutMs = 1_000) {
  const client = createLlmClient(optionsFor(baseUrl, { connectTimeoutMs }), { observe: () => {} })
  onTestFinished(() => client.close())
  const outcome = await collect(client.stream(plainRequest, neverAborted))
  return outcome.failure
}

describe('no connection', () => {
  test('refused', async ({ openBench }) => {
    const { server } = await openBench()
    await server.close()
    expect(await callOnce(server.url)).toMatchObject({
      code: 'llm_unreachable',
      message: expect.stringContaining('ECONNREFUSED') as string,
      details: { retryable: true, endpoint: 'default' },
    })
  })

  test('a name that does not exist', async () => {
    const failure = await callOnce('http://no-such-host.invalid/v1')
    expect(failure).toMatchObject({ code: 'llm_unreachable', details: { retryable: true } })
  })

  test('TLS against a port that speaks none', async ({ openBench }) => {
    const { server } = await openBench()
    const failure = await callOnce(server.url.replace('http:', 'https:'))
    expect(failure).toMatchObject({ code: 'llm_unreachable', message: expect.stringContaining('secure') as string })
  })

  test('connect deadline, TLS included', async () => {
    const failure = await callOnce(`https://127.0.0.1:${await listenSilently()}/v1`, 50)
    expect(failure).toMatchObject({
      code: 'llm_unreachable',
      message: expect.stringContaining('LLM_CONNECT_TIMEOUT') as string,
      details: { retryable: true },
    })
  })
})

test('certificate errors are not tried again', () => {
  const codes = [
    'CERT_HAS_EXPIRED',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  ]
  for (const code of codes) {
    expect(classifyNetworkError(code, false)).toMatchObject({ code: 'llm_unreachable', retryable: false })
  }
})

test('the innermost code of wrapped causes counts', () => {
  const inner = Object.assign(new Error('in'), { code: 'ENOTFOUND' })
  expect(
    networkCodeOf(new Error('out', { cause: Object.assign(new Error('mid', { cause: inner }), { code: 'X' }) })),
  ).toBe('ENOTFOUND')
  expect(networkCodeOf('nothing')).toBe('')
})
