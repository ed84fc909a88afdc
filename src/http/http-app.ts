import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'
import type { WorkflowRef } from '../workflows/service.ts'
import type { Identity } from './keyring.ts'
import type { RouteAccess, RouteScope } from './route-scope.ts'

/** A Fastify application whose handlers are typed by their TypeBox schemas. */
export type HttpApp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

declare module 'fastify' {
  interface FastifyInstance {
    /** Every route, and which scope it needs. */
    readonly accessTable: readonly RouteAccess[]
  }
  interface FastifyRequest {
    /** Who asks; null where nobody is asked, and while it cannot be told. */
    identity: Identity | null
  }
  interface FastifyContextConfig {
    /** What a key needs for it. A route without it cannot be added. */
    scope?: RouteScope
    /** A stream that also takes `?ticket=`, and of what. */
    takesTicket?: WorkflowRef['kind']
    /** Sets work going: refused while the process is overloaded. */
    startsWork?: boolean
    /** Media types that the route can answer with, the preferred one first; others are 406. */
    produces?: readonly string[]
    /** `database`: 503 while it cannot be used; `stream`: the route itself holds the client. */
    needs?: 'database' | 'stream'
    /** Starts or changes something, and may be repeated under an `Idempotency-Key`. */
    takesKey?: boolean
    /** Throws, or rejects with, `not-found` unless the path names what is there; asked only about refused requests. */
    exists?: (request: FastifyRequest) => unknown
  }
}
