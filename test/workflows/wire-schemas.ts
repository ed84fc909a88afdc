import fastify from 'fastify'
import type { FastifyRequest } from 'fastify'
import { eventSchemas } from '../../src/http/event-schemas.ts'
import { ajvOptions } from '../../src/http/validation.ts'
import * as resources from '../../src/workflows/resources.ts'

/** What is wrong with a value by a named schema; empty when nothing is. */
export type CheckWire = (name: string, value: unknown) => readonly string[]

const named = [...Object.values(resources), ...eventSchemas].filter((schema) => schema.$id !== undefined)

/** The same schema, without room for fields that it does not name. */
function withoutRoom(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutRoom)
  if (schema === null || typeof schema !== 'object') return schema
  const closed = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, withoutRoom(value)]))
  return 'properties' in closed && !('additionalProperties' in closed)
    ? { ...closed, additionalProperties: false }
    : closed
}

async function createCheck(schemas: readonly unknown[]): Promise<CheckWire> {
  const app = fastify({ ajv: { customOptions: { ...ajvOptions, verbose: false } } })
  for (const schema of schemas) app.addSchema(schema)
  const seen: FastifyRequest[] = []
  app.get('/', (request) => {
    seen.push(request)
    return {}
  })
  await app.inject('/')
  await app.close()
  return (name, value) => {
    const validate = seen[0]?.compileValidationSchema({ $ref: `${name}#` })
    // What a client gets has been through JSON.
    if (validate === undefined) throw new Error('no validator')
    if (validate(JSON.parse(JSON.stringify(value)))) return []
    return (validate.errors ?? []).map(
      (error) => `${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`,
    )
  }
}

/** Holds a resource to its schema, and to no field beside it. */
export function createResourceCheck(): Promise<CheckWire> {
  return createCheck(named.map((schema) => withoutRoom(schema)))
}

/** Holds an event to the schema of its type; further fields are allowed. */
export async function createEventCheck(): Promise<(event: { readonly type: string }) => readonly string[]> {
  const check = await createCheck(named)
  const families = eventSchemas.filter((schema) => schema['properties'] !== undefined)
  return (event) => {
    const family = families.find((schema) => schema['properties'].type.enum.includes(event.type))
    return family?.$id === undefined ? [`${event.type} has no schema`] : check(family.$id, event)
  }
}
