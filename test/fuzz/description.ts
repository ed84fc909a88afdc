import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { JsonSchema } from './schema-arbitrary.ts'

export interface DescribedParameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required?: boolean
  readonly schema?: JsonSchema
}

export interface DescribedMedia {
  readonly schema?: JsonSchema
  readonly example?: unknown
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>
}

export interface DescribedResponse {
  readonly content?: Readonly<Record<string, DescribedMedia>>
}

/** One operation of the description. */
export interface Operation {
  readonly method: string
  /** Template, as `/workflows/{id}`. */
  readonly path: string
  readonly parameters: readonly DescribedParameter[]
  readonly body: JsonSchema | null
  readonly bodyExamples: readonly unknown[]
  readonly responses: Readonly<Record<string, DescribedResponse>>
}

export interface Description {
  readonly operations: readonly Operation[]
  readonly schemas: Readonly<Record<string, JsonSchema>>
  /** The schema behind `#/components/schemas/NAME`. */
  resolve(ref: string): JsonSchema
}

interface RawOperation {
  readonly parameters?: readonly DescribedParameter[]
  readonly requestBody?: { readonly content?: Readonly<Record<string, DescribedMedia>> }
  readonly responses?: Readonly<Record<string, DescribedResponse>>
}

interface RawDescription {
  readonly paths: Readonly<Record<string, Readonly<Record<string, RawOperation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>> }
}

const file = join(import.meta.dirname, '..', '..', 'openapi.yaml')

/** The committed description. */
export async function readDescription(): Promise<Description> {
  const { paths, components } = parse(await readFile(file, 'utf8')) as RawDescription
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, raw]) => operationOf(method, path, raw)),
  )
  return {
    operations,
    schemas: components.schemas,
    resolve(ref) {
      const schema = components.schemas[ref.replace('#/components/schemas/', '')]
      if (schema === undefined) throw new Error(`there is no schema ${ref}`)
      return schema
    },
  }
}

function operationOf(method: string, path: string, raw: RawOperation): Operation {
  const media = raw.requestBody?.content?.['application/json']
  return {
    method: method.toUpperCase(),
    path,
    parameters: raw.parameters ?? [],
    body: media?.schema ?? null,
    bodyExamples: Object.values(media?.examples ?? {}).map(({ value }) => value),
    responses: raw.responses ?? {},
  }
}
