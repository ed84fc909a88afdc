import { Webhook } from 'standardwebhooks'
import { Agent, request } from 'undici'
import type { Dispatcher } from 'undici'
import type { WebhookAnswer, WebhookMessage, WebhookSender } from '../workflows/webhooks.ts'
import { BlockedError, createGuardedConnector } from './guarded-connector.ts'
import type { ConnectorOptions } from './guarded-connector.ts'

export interface WebhookSenderOptions extends Omit<ConnectorOptions, 'connectTimeoutMs'> {
  readonly version: string
  /** Time that a message may take with its answer; default 15 s. */
  readonly timeoutMs?: number
}

/** Sends over connections of its own. `close` ends them. */
export interface HttpWebhookSender extends WebhookSender {
  close(): Promise<void>
}

const connectTimeoutMs = 5000
/** What an answer says beyond its status is of no interest; so much of it is taken, or the connection is closed. */
const maxAnswerBytes = 65_536
/** Shorter than most servers keep a connection that is idle. */
const idleMs = 4000

/** Sends Standard Webhooks over HTTP. Redirects are not followed, and only where the guard lets it is connected to. */
export function createWebhookSender(options: WebhookSenderOptions): HttpWebhookSender {
  const { version, timeoutMs = 15_000, ...guard } = options
  const dispatcher = new Agent({
    connect: createGuardedConnector({ ...guard, connectTimeoutMs }),
    keepAliveTimeout: idleMs,
    keepAliveMaxTimeout: idleMs,
    maxHeaderSize: 16_384,
  })
  const userAgent = `multi-agent-service/${version}`
  return {
    async send(message, signal) {
      const startedAt = performance.now()
      const outcome = await exchange({ message, dispatcher, userAgent, timeoutMs, signal })
      return { ...outcome, durationMs: performance.now() - startedAt }
    },
    close: () => dispatcher.destroy(),
  }
}

interface Exchange {
  readonly message: WebhookMessage
  readonly dispatcher: Dispatcher
  readonly userAgent: string
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

async function exchange(work: Exchange): Promise<Omit<WebhookAnswer, 'durationMs'>> {
  const { message, dispatcher, signal, timeoutMs } = work
  const timeout = AbortSignal.timeout(timeoutMs)
  const either = AbortSignal.any([signal, timeout])
  try {
    const headers = headersOf(work)
    const answer = await request(message.url, {
      dispatcher,
      method: 'POST',
      headers,
      body: message.body,
      signal: either,
    })
    // The status is all that counts, however the rest of the answer ends.
    await answer.body.dump({ limit: maxAnswerBytes, signal: either }).catch(() => undefined)
    return { statusCode: answer.statusCode, error: errorOfStatus(answer.statusCode) }
  } catch (error) {
    if (signal.aborted) throw error
    if (timeout.aborted) return { statusCode: null, error: `no answer within ${timeoutMs / 1000} s` }
    return { statusCode: null, error: errorOfConnection(error) }
  }
}

/** Standard Webhooks 1.0: what is signed is id, time of sending and body. */
function headersOf({ message, userAgent }: Exchange): Record<string, string> {
  const { id, secret, body, sentAt } = message
  const at = new Date(sentAt)
  return {
    'content-type': 'application/json',
    'user-agent': userAgent,
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(sentAt / 1000)),
    'webhook-signature': new Webhook(secret).sign(id, at, body),
  }
}

function errorOfStatus(status: number): string | null {
  if (status >= 200 && status < 300) return null
  if (status >= 300 && status < 400) return `the answer was ${status}; redirects are not followed`
  return `the answer was ${status}`
}

const notHttp = 'the answer was not HTTP as it should be'

const sentences: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was broken off',
  EPIPE: 'the connection was broken off',
  UND_ERR_SOCKET: 'the connection was broken off',
  ENOTFOUND: 'the name of the receiver is not known',
  EAI_AGAIN: 'the name of the receiver could not be resolved',
  ETIMEDOUT: 'no connection in time',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  EHOSTUNREACH: 'the receiver cannot be reached',
  ENETUNREACH: 'the receiver cannot be reached',
  UND_ERR_HEADERS_OVERFLOW: notHttp,
}

/** Never the error's own words: they name addresses. */
function errorOfConnection(error: unknown): string {
  if (error instanceof BlockedError) return error.message
  // Not every error of the parser has a code.
  if (error instanceof Error && error.name === 'HTTPParserError') return notHttp
  const code = codeIn(error)
  if (/CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO/.test(code)) return 'the certificate of the receiver is not valid'
  return sentences[code] ?? 'the request failed'
}

/** Several addresses that were tried give one error with all of theirs. */
function codeIn(error: unknown): string {
  if (error instanceof AggregateError) return codeIn(error.errors[0])
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
