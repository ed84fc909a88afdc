import type { ErrorEvent, NodeOptions } from '@sentry/node'
import type { Scrub } from './scrub.ts'

type BeforeSendSpan = NonNullable<NodeOptions['beforeSendSpan']>

const longestMessage = 300
const spanAttributes = new Set([
  'http.request.method',
  'http.response.status_code',
  'http.route',
  'http.method',
  'http.status_code',
  'server.address',
  'server.port',
])

/** Leaves of a report only what describes the defect: exceptions, stack, our ids, runtime. No request, no breadcrumbs. */
export function createEventScrub(scrub: Scrub): (event: ErrorEvent) => ErrorEvent {
  const clean = (text: string): string => withoutQuotedInput(scrub(text)).slice(0, longestMessage)
  return (event) => {
    delete event.request
    delete event.user
    delete event.breadcrumbs
    delete event.extra
    delete event.server_name
    if (event.message !== undefined) event.message = clean(event.message)
    if (event.transaction !== undefined) event.transaction = withoutQuery(event.transaction)
    for (const exception of event.exception?.values ?? []) {
      if (exception.value !== undefined) exception.value = clean(exception.value)
      for (const frame of exception.stacktrace?.frames ?? []) delete frame.vars
    }
    return event
  }
}

/** Leaves of a span its name without query, and attributes that can hold nothing of a client's. */
export function createSpanScrub(scrub: Scrub): BeforeSendSpan {
  return (span) => {
    const attributes = Object.entries(span.attributes).filter(([key]) => isKept(key))
    span.name = scrub(withoutQuery(span.name))
    span.attributes = Object.fromEntries(
      attributes.map(([key, value]) => [key, typeof value === 'string' ? scrub(withoutQuery(value)) : value]),
    )
    return span
  }
}

function isKept(key: string): boolean {
  return spanAttributes.has(key) || (key.startsWith('sentry.') && !key.startsWith('sentry.status.'))
}

function withoutQuery(text: string): string {
  return text.split(/[?#]/, 1)[0] ?? ''
}

// what a parser could not read stands in its message: it may be a prompt or an answer
function withoutQuotedInput(message: string): string {
  return message.replace(/(?:\.\.\.)?"[\s\S]*"(?:\.\.\.)? is not valid JSON/, '[…] is not valid JSON')
}
