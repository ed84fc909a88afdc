import { pathExamples, requestExamples, resourceExamples } from './openapi-examples.ts'
import { jsonType } from './openapi-paths.ts'
import type { AnswerSchema, Media, Paths } from './openapi-paths.ts'
import { problemPages } from './problem-pages.ts'

/** Examples by name: each stands once, and every answer of its form refers to it. */
export type NamedExamples = Record<string, { readonly value: unknown }>

/** Adds examples to every body and every answer in JSON; what the answers refer to. */
export function addExamples(paths: Paths): NamedExamples {
  const examples: NamedExamples = problemExamples()
  for (const [path, operations] of Object.entries(paths)) {
    addRequestExamples(path, operations['post']?.requestBody?.content?.[jsonType])
    for (const { responses = {} } of Object.values(operations)) {
      for (const [status, { content = {} }] of Object.entries(responses)) {
        addAnswerExample(`${path} ${status}`, content[jsonType], examples)
        addProblems(status, content['application/problem+json'])
      }
    }
  }
  return examples
}

function addRequestExamples(path: string, media: Media | undefined): void {
  if (media !== undefined && Object.hasOwn(requestExamples, path)) media.examples = requestExamples[path]
}

function addAnswerExample(place: string, media: Media | undefined, examples: NamedExamples): void {
  const example = media === undefined ? null : exampleOf(place, media.schema)
  if (media === undefined || example === null) return
  const name = example.name.replaceAll(/\W+/g, '-').replaceAll(/^-|-$/g, '')
  examples[name] = { value: example.value }
  media.examples = referencesTo([name])
}

function exampleOf(place: string, schema: AnswerSchema = {}) {
  if (Object.hasOwn(pathExamples, place)) return { name: place, value: pathExamples[place] }
  const own = nameOf(schema.$ref)
  if (own !== undefined)
    return Object.hasOwn(resourceExamples, own) ? { name: own, value: resourceExamples[own] } : null
  const item = nameOf(schema.properties?.['data']?.items?.$ref)
  if (item === undefined || !Object.hasOwn(resourceExamples, item)) return null
  const data = [resourceExamples[item]]
  const isPaged = schema.properties?.['next'] !== undefined
  return isPaged ? { name: `${item}Page`, value: { data, next: null } } : { name: `${item}List`, value: { data } }
}

function nameOf(ref: string | undefined): string | undefined {
  return ref?.split('/').at(-1)
}

function problemExamples(): NamedExamples {
  const instance = '/workflows/wf_019bbd4e5c7a7b3c9d2e1f0a8b6c4d2e'
  const correlation_id = '019bbd4e-5c70-7a1b-8c2d-3e4f5a6b7c8d'
  const rows = problemPages.map(({ name, title, status, explanation }) => {
    return [
      name,
      { value: { type: `/problems/${name}`, title, status, detail: explanation, instance, correlation_id } },
    ]
  })
  return Object.fromEntries(rows) as NamedExamples
}

function addProblems(status: string, media: Media | undefined): void {
  const kinds = problemPages.filter((page) => page.status === Number(status))
  if (media !== undefined) media.examples = referencesTo(kinds.map(({ name }) => name))
}

function referencesTo(names: readonly string[]): Readonly<Record<string, { readonly $ref: string }>> {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/examples/${name}` }]))
}
