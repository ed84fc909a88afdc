import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormatsModule from 'ajv-formats'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { problemPages } from '../../src/http/problem-pages.ts'

interface Media {
  readonly schema?: object
  readonly examples?: Readonly<Record<string, { readonly value?: unknown; readonly $ref?: string }>>
}

interface Operation {
  readonly requestBody?: { readonly content?: Readonly<Record<string, Media>> }
  readonly responses?: Readonly<Record<string, { readonly content?: Readonly<Record<string, Media>> }>>
}

interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: {
    readonly schemas: object
    readonly examples: Readonly<Record<string, { readonly value: unknown }>>
  }
}

// the type of its default export is not that of a function under this module resolution
const addFormats = addFormatsModule as unknown as (ajv: Ajv2020) => void

const yaml = await readFile(join(import.meta.dirname, '..', '..', 'openapi.yaml'), 'utf8')
const { paths, components } = parse(yaml) as Description
const ajv = new Ajv2020({ strict: false, allErrors: true })
addFormats(ajv)
ajv.addSchema({ $id: 'description', components })

/** Bodies that say nothing, as JSON, of what they hold. */
const withoutExample = new Set(
  ['/workflows/{id}', '/agents/{role}/tasks/{id}'].flatMap((run) => [
    `post ${run}/cancel request`,
    `post ${run}/events/ticket request`,
    `post ${run}/webhooks/{delivery}/redeliver request`,
  ]),
)

const media = Object.entries(paths).flatMap(([path, operations]) =>
  Object.entries(operations).flatMap(([method, { requestBody, responses = {} }]) => [
    ...Object.values(requestBody?.content ?? {}).map((one) => ({ name: `${method} ${path} request`, one })),
    ...Object.entries(responses).flatMap(([status, { content = {} }]) =>
      Object.entries(content)
        .filter(([type]) => type.endsWith('json'))
        .map(([, one]) => ({ name: `${method} ${path} ${status}`, one })),
    ),
  ]),
)

function examplesOf({ examples = {} }: Media): readonly unknown[] {
  return Object.values(examples).map(({ value, $ref }) => {
    return $ref === undefined ? value : components.examples[$ref.split('/').at(-1) ?? '']?.value
  })
}

test.each(media)('$name has an example, and it fits its schema', ({ name, one }) => {
  const examples = examplesOf(one)
  expect(examples.length > 0 || withoutExample.has(name)).toBe(true)
  const schema = JSON.parse(
    JSON.stringify(one.schema).replaceAll('"#/components', '"description#/components'),
  ) as object
  const validate = ajv.compile(schema)
  for (const example of examples) {
    expect(validate(example) ? [] : validate.errors).toEqual([])
  }
})

test('every problem has one', () => {
  const named = new Set(Object.keys(components.examples))
  expect(problemPages.filter(({ name }) => !named.has(name)).map(({ name }) => name)).toEqual([])
})
