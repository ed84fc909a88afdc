import { Type } from '@sinclair/typebox'
import { AppError } from '../../errors.ts'
import type { MetricsSource } from '../app-parts.ts'
import { HealthReportSchema } from '../health-schema.ts'
import type { HttpApp } from '../http-app.ts'
import type { RouteContext } from '../route-context.ts'
import { answer, problems, refTo } from '../schemas.ts'

const Ok = Type.Object({ status: Type.String() })
const noStore = { 'cache-control': 'no-store' } as const

function addHealth(app: HttpApp, { parts }: RouteContext): void {
  app.get(
    '/health',
    {
      config: { scope: 'none' },
      schema: {
        tags: ['operations'],
        summary: 'How the service and what it depends on are',
        response: {
          200: answer('Healthy or degraded.', { 'application/json': refTo(HealthReportSchema) }),
          503: answer('Unhealthy.', { 'application/json': refTo(HealthReportSchema) }),
          ...problems(400),
        },
      },
    },
    async (_request, reply) => {
      const report = await parts.health.health()
      return reply
        .code(report.status === 'unhealthy' ? 503 : 200)
        .headers(noStore)
        .send(report)
    },
  )
}

function addProbes(app: HttpApp, { parts }: RouteContext): void {
  app.get(
    '/livez',
    {
      config: { scope: 'none' },
      schema: {
        tags: ['operations'],
        summary: 'The process answers',
        response: { 200: answer('It does.', { 'application/json': Ok }), ...problems(400) },
      },
    },
    async (_request, reply) => reply.headers(noStore).send({ status: 'ok' }),
  )
  app.get(
    '/readyz',
    {
      config: { scope: 'none' },
      schema: {
        tags: ['operations'],
        summary: 'The service takes requests',
        response: { 200: answer('It does.', { 'application/json': Ok }), ...problems(400, 503) },
      },
    },
    async (_request, reply) => {
      void reply.headers(noStore)
      if (parts.draining()) throw new AppError('draining', 'The service is shutting down.')
      if (!parts.ready()) throw new AppError('unavailable', 'The service is starting, or its database is away.')
      return { status: 'ready' }
    },
  )
}

function addMetrics(app: HttpApp, metrics: MetricsSource): void {
  app.get(
    '/metrics',
    {
      config: { scope: 'none' },
      schema: {
        tags: ['operations'],
        summary: 'Metrics for Prometheus',
        response: { 200: answer('The text format.', { 'text/plain': Type.String() }), ...problems(400) },
      },
    },
    async (_request, reply) => {
      const { contentType, body } = await metrics.text()
      return reply.type(contentType).send(body)
    },
  )
  app.get(
    '/metrics.json',
    {
      config: { scope: 'none' },
      schema: {
        tags: ['operations'],
        summary: 'Metrics as JSON',
        response: {
          200: answer('Counters, gauges, histograms.', { 'application/json': Type.Unknown() }),
          ...problems(400),
        },
      },
    },
    async () => metrics.json(),
  )
}

/** What machines ask that watch over the service. */
export function addOperationRoutes(app: HttpApp, context: RouteContext): void {
  addHealth(app, context)
  addProbes(app, context)
  if (context.parts.metrics) addMetrics(app, context.parts.metrics)
}
