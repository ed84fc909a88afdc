import type OpenAI from 'openai'
import type { ChatCompletionCreateParams } from 'openai/resources/chat/completions'
import { Agent } from 'undici'
import {
  failureOfException,
  failureOfStatus,
  type FailureContext,
  type HeaderReader,
  statusAnswerOf,
} from './failures.ts'
import { readErrorText } from './error-body.ts'
import { parseJson } from './json-fields.ts'
import type { ModelRequest } from './model.ts'
import { createRequestForms, requestBody } from './request-body.ts'
import { createRequestFetch, type RequestFetch, type UpstreamResponse } from './request-fetch.ts'

/** Where a model server is. */
export interface Endpoint {
  readonly name: string
  /** Ends in `/v1` as a rule; userinfo in it is sent as Basic authorization instead of the key. */
  readonly baseUrl: string
  /** Empty: no authorization is sent. */
  readonly apiKey: string
}

/** Kept connections to one place. All failures are `AppError`s. */
export interface UpstreamClient {
  /** Asks for a chat completion; resolves with the head of a good answer. */
  chat(request: ModelRequest, options: ChatOptions): Promise<UpstreamResponse>
  /** A JSON document, by a path that is resolved against the base URL. */
  get(path: string, options: CallOptions): Promise<unknown>
  /** Resolves when its calls have ended. */
  close(): Promise<void>
  /** Cuts its calls. */
  destroy(): Promise<void>
}

interface CallOptions {
  readonly signal: AbortSignal
  readonly failures: FailureContext
}

interface ChatOptions extends CallOptions {
  readonly headers: Readonly<Record<string, string>>
  /** Told the head of the answer, whatever its status. */
  readonly onHead: (header: HeaderReader) => void
}

// our own deadlines end a call; the SDK's must not come first
const sdkTimeoutMs = 2 ** 31 - 1
// some servers list a thousand models
const longestDocumentBytes = 4 * 1024 * 1024

/** A fresh dispatcher and SDK client for `endpoint`. */
export function createUpstreamClient(
  endpoint: Endpoint,
  { connectTimeoutMs }: { readonly connectTimeoutMs: number },
): UpstreamClient {
  const { baseUrl, authorization } = addressOf(endpoint)
  const dispatcher = new Agent({
    connect: { timeout: Math.max(1, Math.ceil(connectTimeoutMs)) },
    headersTimeout: 0,
    bodyTimeout: 0,
    allowH2: false,
  })
  const requestFetch = createRequestFetch(dispatcher, authorization)
  let loading: Promise<OpenAI> | null = null

  const forms = createRequestForms()

  return {
    chat: async (request, { signal, failures, headers, onHead }) => {
      for (;;) {
        const form = forms.of(request.target.model)
        try {
          const body = requestBody(request, form) as ChatCompletionCreateParams
          const sdk = await (loading ??= loadSdk(baseUrl, requestFetch))
          const response = await sdk.chat.completions.create(body, { signal, headers: { ...headers } }).asResponse()
          onHead((name) => response.headers.get(name))
          return response as unknown as UpstreamResponse
        } catch (error) {
          const answer = statusAnswerOf(error)
          if (answer === null) throw failureOfException(error, failures, false)
          onHead(answer.header)
          // nothing was worked out and nothing is paid for: the same call is put in the words that are asked for
          if (!forms.learn(request.target.model, answer)) throw failureOfStatus(answer, failures)
        }
      }
    },
    get: async (path, { signal, failures }) => {
      try {
        const response = await requestFetch(new URL(path, `${baseUrl}/`).href, { signal })
        const text = await response.text(longestDocumentBytes)
        if (response.ok) return parseJson(text)
        throw failureOfStatus(
          { status: response.status, error: readErrorText(text), header: (name) => response.headers.get(name) },
          failures,
        )
      } catch (error) {
        throw failureOfException(error, failures, false)
      }
    },
    close: () => dispatcher.close(),
    destroy: () => dispatcher.destroy(),
  }
}

/** The SDK is loaded for the first chat: looking at a server does not need it, and it is large. */
async function loadSdk(baseURL: string, requestFetch: RequestFetch): Promise<OpenAI> {
  const { default: OpenAI } = await import('openai')
  return new OpenAI({
    apiKey: 'sent by the fetch below',
    adminAPIKey: null,
    organization: null,
    project: null,
    baseURL,
    maxRetries: 0,
    timeout: sdkTimeoutMs,
    logLevel: 'off',
    fetch: requestFetch as unknown as typeof fetch,
  })
}

function addressOf({ baseUrl, apiKey }: Endpoint): { readonly baseUrl: string; readonly authorization: string | null } {
  const url = new URL(baseUrl)
  const { username, password } = url
  url.username = ''
  url.password = ''
  const plainUrl = url.href.replace(/\/+$/, '')
  if (username !== '' || password !== '') {
    const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
    return { baseUrl: plainUrl, authorization: `Basic ${Buffer.from(pair).toString('base64')}` }
  }
  return { baseUrl: plainUrl, authorization: apiKey === '' ? null : `Bearer ${apiKey}` }
}
