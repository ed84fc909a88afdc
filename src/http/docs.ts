import { fastifySwagger } from '@fastify/swagger'
import { fastifySwaggerUi } from '@fastify/swagger-ui'
import type { HttpApp } from './http-app.ts'
import { openapiOptions } from './openapi.ts'

/** Collects the description of every route that is added from now on. */
export async function addDescription(app: HttpApp, version: string): Promise<void> {
  await app.register(fastifySwagger, openapiOptions(version))
}

/** The readable description under `/docs`; everything it loads comes from this server. */
export async function addDocs(app: HttpApp): Promise<void> {
  await app.register(fastifySwaggerUi, {
    routePrefix: '/docs',
    staticCSP: {
      'default-src': "'none'",
      'script-src': "'self'",
      'style-src': "'self' 'unsafe-inline'",
      'img-src': "'self' data:",
      'connect-src': "'self'",
      'base-uri': "'none'",
      'form-action': "'none'",
      'frame-ancestors': "'none'",
    },
    uiConfig: { docExpansion: 'list', deepLinking: true },
    theme: { title: 'LLM Multi-Agent Service' },
  })
}
