import { Type } from '@sinclair/typebox'
import { keyPattern } from './idempotency.ts'

const key = Type.Optional(
  Type.String({
    pattern: keyPattern,
    description: [
      'Makes the request safe to repeat: with the same key, path and body it is done once, and every repetition is',
      'answered with the resource as it is then and `Idempotency-Replayed: true`. With another request: 422. A key is',
      'free again after 24 hours, or when the resource is deleted; a refused request binds none.',
    ].join(' '),
  }),
)

/** Headers of a POST that changes something. */
export const KeyHeaders = Type.Object({ 'Idempotency-Key': key })

/** Headers of a POST that can be answered in several forms. */
export const RunHeaders = Type.Object({
  'Idempotency-Key': key,
  'Last-Event-ID': Type.Optional(
    Type.String({ description: 'Cursor at which the stream of a repeated POST goes on; needs an Idempotency-Key.' }),
  ),
  Prefer: Type.Optional(
    Type.String({ description: '`wait=N`, 1–300: wait up to N seconds until it has ended or waits for a person.' }),
  ),
})
