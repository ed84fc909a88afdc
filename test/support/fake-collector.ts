import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'

/** A span as a collector gets it. */
export interface SentSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | null
  readonly name: string
  readonly kind: number
  readonly startMs: number
  readonly endMs: number
  readonly attributes: Readonly<Record<string, unknown>>
  /** Of whoever sent it. */
  readonly resource: Readonly<Record<string, unknown>>
  readonly failed: boolean
}

/** An OpenTelemetry collector that takes traces over OTLP/HTTP as JSON, and keeps them. */
export interface FakeCollector {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly url: string
  readonly spans: readonly SentSpan[]
  /** Every body, as text. */
  readonly bodies: readonly string[]
  /** Of every request. */
  readonly headers: readonly IncomingHttpHeaders[]
  /** Resolves with the first span for which it holds, past or to come. */
  readonly sent: (wanted: (span: SentSpan) => boolean) => Promise<SentSpan>
  /** From now on: 200, another status, or no answer at all. */
  readonly answerWith: (status: number | 'nothing') => void
  readonly close: () => Promise<void>
}

/** Starts one on a free port of 127.0.0.1. */
export async function startFakeCollector(): Promise<FakeCollector> {
  const spans: SentSpan[] = []
  const bodies: string[] = []
  const headers: IncomingHttpHeaders[] = []
  const waiting = new Set<() => void>()
  let answer: number | 'nothing' = 200
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks)
      const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString()
      headers.push(request.headers)
      bodies.push(text)
      if (answer === 'nothing') return
      if (answer === 200) spans.push(...readSpans(JSON.parse(text)))
      response.writeHead(answer, { 'content-type': 'application/json' }).end('{}')
      for (const look of waiting) look()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    bodies,
    headers,
    sent: (wanted) =>
      new Promise((resolve) => {
        const look = () => {
          const found = spans.find(wanted)
          if (found === undefined) return
          waiting.delete(look)
          resolve(found)
        }
        waiting.add(look)
        look()
      }),
    answerWith: (next) => {
      answer = next
    },
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

interface Attribute {
  readonly key: string
  readonly value: Readonly<Record<string, unknown>>
}

interface Body {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] }
    readonly scopeSpans: readonly { readonly spans: readonly RawSpan[] }[]
  }[]
}

interface RawSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly Attribute[]
  readonly status: { readonly code?: number }
}

const errorStatus = 2

function readSpans(body: unknown): readonly SentSpan[] {
  return (body as Body).resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId ?? null,
        name: span.name,
        kind: span.kind,
        startMs: Number(span.startTimeUnixNano) / 1e6,
        endMs: Number(span.endTimeUnixNano) / 1e6,
        attributes: readAttributes(span.attributes),
        resource: readAttributes(resource.attributes),
        failed: span.status.code === errorStatus,
      })),
    ),
  )
}

function readAttributes(attributes: readonly Attribute[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))
}
