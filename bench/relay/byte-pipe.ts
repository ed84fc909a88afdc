import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Agent, request } from 'undici'

/** The floor: the bytes of a request and of its answer are passed on, nothing looks into them. */
export function openBytePipe(modelUrl: string) {
  const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0, allowH2: false })
  const pass = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const leave = new AbortController()
    response.once('close', () => leave.abort())
    const { statusCode, headers, body } = await request(`${modelUrl}/chat/completions`, {
      dispatcher,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: incoming,
      signal: leave.signal,
    })
    response.writeHead(statusCode, { 'content-type': String(headers['content-type']), 'cache-control': 'no-cache' })
    response.flushHeaders()
    body.on('error', () => response.destroy())
    body.pipe(response)
  }
  return createServer((incoming, response) => {
    pass(incoming, response).catch(() => response.destroy())
  })
}
