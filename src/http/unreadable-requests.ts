import { STATUS_CODES } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { correlationIdOf } from './correlation.ts'
import { problemTitles } from './problem.ts'
import type { ProblemName } from './problem.ts'

interface Refusal {
  readonly status: number
  readonly detail: string
  /** Name of the problem, where the contract has one. */
  readonly name?: ProblemName
}

const malformed: Refusal = {
  status: 400,
  detail: 'This is not a valid HTTP request.',
  name: 'invalid-request',
}

const refusals: Readonly<Record<string, Refusal>> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    detail: 'The headers of the request are larger than this service takes.',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    detail: 'The request did not arrive whole in time.',
  },
}

const expectationFailed: Refusal = {
  status: 417,
  detail: 'The only expectation that this service meets is 100-continue.',
}

function bodyOf({ status, detail, name }: Refusal, correlationId: string): string {
  const type = name === undefined ? 'about:blank' : `/problems/${name}`
  const title = name === undefined ? STATUS_CODES[status] : problemTitles[name]
  return JSON.stringify({ type, title, status, detail, instance: '', correlation_id: correlationId })
}

/** Answers what was no HTTP request, or took too long to become one: there is no reply object for it. */
export function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const refusal = refusals[error.code ?? ''] ?? malformed
  const correlationId = correlationIdOf({})
  const body = bodyOf(refusal, correlationId)
  const lines = [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Correlation-Id: ${correlationId}`,
    'Connection: close',
  ]
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`)
}

/** Answers an `Expect` header that cannot be met; Node asks before there is a request for the application. */
export function answerExpectation(request: IncomingMessage, response: ServerResponse): void {
  const correlationId = correlationIdOf(request.headers)
  response.writeHead(expectationFailed.status, {
    'content-type': 'application/problem+json',
    'x-correlation-id': correlationId,
    connection: 'close',
  })
  response.end(bodyOf(expectationFailed, correlationId))
}
