import { Type } from '@sinclair/typebox'

const literals = (...values: readonly string[]) => Type.Unsafe<string>({ type: 'string', enum: [...values] })

/** The body of `GET /health`. */
export const HealthReportSchema = Type.Object(
  {
    status: literals('healthy', 'degraded', 'unhealthy'),
    version: Type.String(),
    uptime_seconds: Type.Number(),
    active_clients: Type.Integer({ description: 'Pooled clients of model servers.' }),
    success_rate: Type.Union([Type.Number({ minimum: 0, maximum: 1 }), Type.Null()], {
      description: 'Of the last five minutes or 100 requests, whichever is fewer; null before any.',
    }),
    request_count: Type.Integer({ description: 'Requests sent to model servers.' }),
    checks: Type.Unsafe<Record<string, unknown>>({
      type: 'object',
      additionalProperties: Type.Object({
        status: literals('ok', 'degraded', 'failed'),
        detail: Type.Optional(Type.String()),
      }),
    }),
  },
  { $id: 'Health' },
)
