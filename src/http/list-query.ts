import type { TSchema } from '@sinclair/typebox'
import { Type } from '@sinclair/typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../errors.ts'
import { StepStatusValue, WorkflowStatusValue } from '../workflows/resources.ts'
import type { ListQuery, Page } from '../workflows/service.ts'
import type { StepStatus, WorkflowStatus } from '../workflows/workflow.ts'

/** Query parameters of a list, as they arrive. */
interface ListParameters<Status extends string> {
  readonly status?: readonly Status[]
  readonly type?: string
  readonly created_after?: string
  readonly created_before?: string
  readonly limit?: number
  readonly after?: string
  readonly [metadata: `metadata.${string}`]: string | undefined
}

/** Entries of a page, unless the client says how many. */
export const defaultLimit = 20
const metadataPrefix = 'metadata.'

/** Parameters of every list. */
export const pageParameters = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 100, default: defaultLimit, description: 'How many at most.' }),
  ),
  after: Type.Optional(Type.String({ minLength: 1, maxLength: 500, description: '`next` of the page before.' })),
}

function parametersWith<Status extends string>(status: TSchema) {
  return Type.Unsafe<ListParameters<Status>>({
    type: 'object',
    additionalProperties: false,
    patternProperties: { '^metadata\\..{1,64}$': { type: 'string', maxLength: 500 } },
    properties: {
      status: { type: 'array', items: status, maxItems: 20, description: 'Only these; repeat it for several.' },
      type: { type: 'string', minLength: 1, maxLength: 64, description: 'Only of this type.' },
      created_after: { type: 'string', format: 'date-time', description: 'Only later ones.' },
      created_before: { type: 'string', format: 'date-time', description: 'Only earlier ones.' },
      ...pageParameters,
    },
  })
}

/** Schema of the query parameters of the list of workflows. */
export const WorkflowListParameters = parametersWith<WorkflowStatus>(WorkflowStatusValue)

/** Schema of the query parameters of a list of tasks, whose status is that of their step. */
export const TaskListParameters = parametersWith<StepStatus>(StepStatusValue)

/**
 * Milliseconds since the epoch of an RFC 3339 time; null without one. Throws `invalid-request` for what `Date` or the
 * database cannot take: leap seconds, and years that are not 1–9999 in UTC.
 */
function timeOf(name: string, text: string | undefined): number | null {
  if (text === undefined) return null
  const time = new Date(text.toUpperCase().replace(' ', 'T'))
  const year = time.getUTCFullYear()
  if (year >= 1 && year <= 9999) return time.getTime()
  const detail = 'must be a time of the years 1 to 9999 in UTC, without leap seconds, as 2026-01-31T12:00:00Z'
  throw new AppError('invalid-request', `Querystring ${name} ${detail}.`, { faults: [{ pointer: name, detail }] })
}

function commonQueryOf(parameters: ListParameters<string>): Omit<ListQuery, 'statuses' | 'stepStatuses'> {
  const metadata = Object.entries(parameters).flatMap(([name, value]) =>
    name.startsWith(metadataPrefix) ? [[name.slice(metadataPrefix.length), String(value)] as const] : [],
  )
  return {
    type: parameters.type ?? null,
    createdAfter: timeOf('created_after', parameters.created_after),
    createdBefore: timeOf('created_before', parameters.created_before),
    metadata: Object.fromEntries(metadata),
    limit: parameters.limit ?? defaultLimit,
    after: parameters.after ?? null,
  }
}

/** The parameters of the list of workflows as the service takes them. Throws `invalid-request`. */
export function workflowListQueryOf(parameters: ListParameters<WorkflowStatus>): ListQuery {
  return { ...commonQueryOf(parameters), statuses: parameters.status ?? [], stepStatuses: [] }
}

/** The parameters of a list of tasks as the service takes them. Throws `invalid-request`. */
export function taskListQueryOf(parameters: ListParameters<StepStatus>): ListQuery {
  return { ...commonQueryOf(parameters), statuses: [], stepStatuses: parameters.status ?? [] }
}

/** `{data, next}`, with `Link: rel="next"` while there is one. */
export function sendPage<T>(request: FastifyRequest, reply: FastifyReply, page: Page<T>): FastifyReply {
  if (page.next !== null) {
    const next = new URL(request.url, 'http://localhost')
    next.searchParams.set('after', page.next)
    void reply.header('link', `<${next.pathname}${next.search}>; rel="next"`)
  }
  return reply.send({ data: page.data, next: page.next })
}
