import { Type } from '@sinclair/typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { WorkflowStatusValue } from '../workflows/resources.ts'
import type { ListQuery, Page } from '../workflows/service.ts'
import type { WorkflowStatus } from '../workflows/workflow.ts'

/** Query parameters of a list, as they arrive. */
export interface ListParameters {
  readonly status?: readonly WorkflowStatus[]
  readonly type?: string
  readonly created_after?: string
  readonly created_before?: string
  readonly limit?: number
  readonly after?: string
  readonly [metadata: `metadata.${string}`]: string | undefined
}

const defaultLimit = 20
const metadataPrefix = 'metadata.'

/** Schema of the query parameters of a list. */
export const ListParametersSchema = Type.Unsafe<ListParameters>({
  type: 'object',
  additionalProperties: false,
  patternProperties: { '^metadata\\..{1,64}$': { type: 'string', maxLength: 500 } },
  properties: {
    status: {
      type: 'array',
      items: WorkflowStatusValue,
      maxItems: 20,
      description: 'Only these; repeat it for several.',
    },
    type: { type: 'string', minLength: 1, maxLength: 64, description: 'Only of this type.' },
    created_after: { type: 'string', format: 'date-time', description: 'Only later ones.' },
    created_before: { type: 'string', format: 'date-time', description: 'Only earlier ones.' },
    limit: { type: 'integer', minimum: 1, maximum: 100, default: defaultLimit, description: 'How many at most.' },
    after: { type: 'string', minLength: 1, maxLength: 500, description: '`next` of the page before.' },
  },
})

function timeOf(text: string | undefined): number | null {
  return text === undefined ? null : Date.parse(text)
}

/** The parameters as the service takes them. */
export function listQueryOf(parameters: ListParameters): ListQuery {
  const metadata = Object.entries(parameters).flatMap(([name, value]) =>
    name.startsWith(metadataPrefix) ? [[name.slice(metadataPrefix.length), String(value)] as const] : [],
  )
  return {
    statuses: parameters.status ?? [],
    type: parameters.type ?? null,
    createdAfter: timeOf(parameters.created_after),
    createdBefore: timeOf(parameters.created_before),
    metadata: Object.fromEntries(metadata),
    limit: parameters.limit ?? defaultLimit,
    after: parameters.after ?? null,
  }
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
