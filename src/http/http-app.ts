import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'

/** A Fastify application whose handlers are typed by their TypeBox schemas. */
export type HttpApp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

declare module 'fastify' {
  interface FastifyContextConfig {
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
