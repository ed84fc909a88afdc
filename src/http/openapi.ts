import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import { stringify } from 'yaml'
import { securitySchemes } from './access.ts'
import type { HttpApp } from './http-app.ts'
import { addExamples } from './add-examples.ts'
import { jsonType } from './openapi-paths.ts'
import type { Paths } from './openapi-paths.ts'

const description = `Give it a requirement, and a team of AI agents works it out, live.

Start a workflow and watch it with one command:

    curl -N http://127.0.0.1:3000/workflows -H 'Accept: text/event-stream' \\
      --json '{"type": "feature_development", "requirement": "A REST API for user authentication with JWT"}'

Every refusal is \`application/problem+json\` (RFC 9457). Every answer carries \`X-Correlation-Id\`: the client's own
(\`X-Correlation-Id\` or \`X-Request-Id\`) or a new one. Times are RFC 3339 in UTC. Changes of this interface only ever add.`

const tags = [
  { name: 'workflows', description: 'One run of a template or of a DAG of your own, made of steps.' },
  { name: 'approvals', description: 'Steps that wait for a person.' },
  { name: 'agents', description: 'The team.' },
  { name: 'tasks', description: 'One task for one agent: a workflow of one step behind another door.' },
  { name: 'artifacts', description: 'The files that the agents have written.' },
  { name: 'workflow types', description: 'The templates.' },
  { name: 'operations', description: 'Health, probes, metrics.' },
  { name: 'description', description: 'This description and the pages of the problems.' },
]

/** The plugin calls every body required. */
function markOptionalBodies(paths: Paths): void {
  for (const { requestBody } of Object.values(paths).flatMap((operations) => Object.values(operations))) {
    if (requestBody && [requestBody.content?.[jsonType]?.schema?.type].flat().includes('null'))
      requestBody.required = false
  }
}

/** How the description is made from the routes. */
export function openapiOptions(version: string): FastifyDynamicSwaggerOptions {
  return {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'LLM Multi-Agent Service', version, description, license: { name: 'MIT', identifier: 'MIT' } },
      servers: [{ url: '/' }],
      tags,
      components: { securitySchemes },
    },
    refResolver: {
      buildLocalReference: ({ $id }) => $id as string,
    },
    transformObject: (document) => {
      if (!('openapiObject' in document)) return document.swaggerObject
      const paths = (document.openapiObject.paths ?? {}) as Paths
      markOptionalBodies(paths)
      Object.assign((document.openapiObject.components ??= {}), { examples: addExamples(paths) })
      return document.openapiObject
    },
  }
}

/** The description as YAML; the application has to be ready. */
export function openapiYaml(app: HttpApp): string {
  return stringify(JSON.parse(JSON.stringify(app.swagger())), {
    lineWidth: 120,
    aliasDuplicateObjects: false,
    blockQuote: 'literal',
  })
}
