import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import { stringify } from 'yaml'
import type { HttpApp } from './http-app.ts'

const description = `Give it a requirement, and a team of AI agents works it out, live.

Start a workflow and watch it with one command:

    curl -N http://127.0.0.1:3000/workflows -H 'Accept: text/event-stream' \\
      --json '{"type": "feature_development", "requirement": "A REST API for user authentication with JWT"}'

Every refusal is \`application/problem+json\` (RFC 9457). Every answer carries \`X-Correlation-Id\`: the client's own
(\`X-Correlation-Id\` or \`X-Request-Id\`) or a new one. Times are RFC 3339 in UTC. Changes of this interface only ever add.`

const tags = [
  { name: 'workflows', description: 'One run of a template or of a DAG of your own, made of steps.' },
  { name: 'agents', description: 'The team.' },
  { name: 'tasks', description: 'One task for one agent: a workflow of one step behind another door.' },
  { name: 'artifacts', description: 'The files that the agents have written.' },
  { name: 'workflow types', description: 'The templates.' },
  { name: 'operations', description: 'Health, probes, metrics.' },
  { name: 'description', description: 'This description and the pages of the problems.' },
]

const startExamples = {
  feature: {
    summary: 'A template',
    value: {
      type: 'feature_development',
      requirement: 'Create a REST API for user authentication with JWT',
      context: { language: 'python', framework: 'fastapi' },
      options: { temperature: 0.2, max_tokens: 4096, timeout_seconds: 600 },
      metadata: { ticket: 'ABC-1' },
    },
  },
  bugFix: {
    summary: 'A bug to fix',
    value: {
      type: 'bug_fix',
      requirement: 'Fix the login',
      context: { bug_description: 'A password with an umlaut is refused.' },
      files: [{ path: 'src/login.py', content: 'def login(user, password): ...' }],
    },
  },
  custom: {
    summary: 'A DAG of your own',
    value: {
      type: 'custom',
      requirement: 'A command line tool that counts words',
      steps: [
        { id: 'design', role: 'developer', task: 'Design the tool.' },
        { id: 'build', role: 'developer', task: 'Write it.', depends_on: ['design'] },
        { id: 'manual', role: 'technical_writer', task: 'Write its manual.', depends_on: ['build'] },
      ],
    },
  },
}

const taskExamples = {
  task: {
    summary: 'One task',
    value: { task: 'Review this function.', files: [{ path: 'src/app.py', content: 'def add(a, b): return a - b' }] },
  },
}

interface Operation {
  requestBody?: { content?: Record<string, { examples?: unknown }> }
}

function addExamples(paths: Record<string, { post?: Operation } | undefined>): void {
  const examples = { '/workflows': startExamples, '/agents/{role}/tasks': taskExamples }
  for (const [path, values] of Object.entries(examples)) {
    const media = paths[path]?.post?.requestBody?.content?.['application/json']
    if (media) media.examples = values
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
    },
    refResolver: {
      buildLocalReference: ({ $id }) => $id as string,
    },
    transformObject: (document) => {
      if (!('openapiObject' in document)) return document.swaggerObject
      addExamples((document.openapiObject.paths ?? {}) as Parameters<typeof addExamples>[0])
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
