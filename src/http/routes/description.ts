import { Type } from '@sinclair/typebox'
import type { HttpApp } from '../http-app.ts'
import { openapiYaml } from '../openapi.ts'
import { answer, problems } from '../schemas.ts'

/** The description itself, as JSON and as YAML. */
export function addDescriptionRoutes(app: HttpApp): void {
  app.get(
    '/openapi.json',
    {
      config: { scope: 'none' },
      schema: {
        tags: ['description'],
        summary: 'This description, as JSON',
        response: { 200: answer('OpenAPI 3.1.', { 'application/json': Type.Unknown() }), ...problems(400) },
      },
    },
    async () => app.swagger(),
  )
  app.get(
    '/openapi.yaml',
    {
      config: { scope: 'none' },
      schema: {
        tags: ['description'],
        summary: 'This description, as YAML',
        response: { 200: answer('OpenAPI 3.1.', { 'application/yaml': Type.String() }), ...problems(400) },
      },
    },
    async (_request, reply) => reply.type('application/yaml; charset=utf-8').send(openapiYaml(app)),
  )
}
