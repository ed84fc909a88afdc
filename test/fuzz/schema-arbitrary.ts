import fc from 'fast-check'

/** As much of a JSON Schema as the description uses. */
export interface JsonSchema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly JsonSchema[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | JsonSchema
  readonly items?: JsonSchema
  readonly minItems?: number
  readonly maxItems?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly format?: string
}

/** Finds the schema behind a reference. */
export type Resolve = (ref: string) => JsonSchema

const wild = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom<unknown>(
    null,
    true,
    -1,
    0,
    1e308,
    2 ** 53,
    '',
    '__proto__',
    '../../etc/passwd',
    '\u0000',
    '\ud800',
    [],
    {},
  ),
)
const text = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.constantFrom('developer', 'a', 'b', 'src/app.py', '﷽', "'; DROP TABLE agents.workflows; --", 'a'.repeat(3000)),
)

/** Values that a schema allows, and now and then, at any depth, some that it does not. */
export function arbitraryOf(schema: JsonSchema, resolve: Resolve): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 60, arbitrary: fitting(schema, resolve) }, { weight: 1, arbitrary: wild })
}

function fitting(schema: JsonSchema, resolve: Resolve): fc.Arbitrary<unknown> {
  if (schema.$ref !== undefined) return fitting(resolve(schema.$ref), resolve)
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((one) => arbitraryOf(one, resolve)))
  const types = [schema.type ?? []].flat()
  return types.length === 0 ? wild : fc.oneof(...types.map((type) => ofType(type, schema, resolve)))
}

function ofType(type: string, schema: JsonSchema, resolve: Resolve): fc.Arbitrary<unknown> {
  switch (type) {
    case 'object':
      return objectOf(schema, resolve)
    case 'array':
      return arrayOf(schema, resolve)
    case 'string':
      return stringOf(schema)
    case 'integer':
    case 'number':
      return numberOf(type, schema)
    case 'boolean':
      return fc.boolean()
    default:
      return fc.constant(null)
  }
}

function arrayOf({ items = {}, minItems = 0, maxItems = 4 }: JsonSchema, resolve: Resolve): fc.Arbitrary<unknown> {
  return fc.array(arbitraryOf(items, resolve), { minLength: minItems, maxLength: Math.min(maxItems, 4) })
}

function numberOf(type: string, schema: JsonSchema): fc.Arbitrary<number> {
  const { minimum = 0, maximum = 1e6 } = schema
  if (type === 'number') return fc.double({ min: minimum, max: maximum, noNaN: true })
  return fc.oneof(fc.integer(rangeOf(schema)), fc.constantFrom(minimum, maximum))
}

function objectOf(schema: JsonSchema, resolve: Resolve): fc.Arbitrary<unknown> {
  const { properties = {}, required = [] } = schema
  const known = Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, arbitraryOf(one, resolve)]))
  const record = fc.record(known, { requiredKeys: required.filter((name) => name in known) })
  if (schema.additionalProperties === false || schema.additionalProperties === undefined) return record
  const more = schema.additionalProperties === true ? wild : arbitraryOf(schema.additionalProperties, resolve)
  return fc
    .tuple(record, fc.dictionary(fc.string({ maxLength: 12 }), more, { maxKeys: 3 }))
    .map(([a, b]) => ({ ...b, ...a }))
}

function stringOf({ pattern, format, minLength = 0, maxLength = 40 }: JsonSchema): fc.Arbitrary<string> {
  if (format === 'date-time') return fc.date({ noInvalidDate: true }).map((date) => date.toISOString())
  if (pattern !== undefined && pattern !== '\\S') return fc.oneof(fc.stringMatching(new RegExp(pattern)), text)
  const fits = text.filter(({ length }) => length >= minLength && length <= maxLength)
  return fc.oneof(fits, fc.string({ minLength, maxLength: Math.min(maxLength, minLength + 20) }))
}

function rangeOf({ minimum = -1000, maximum = 100_000 }: JsonSchema): { min: number; max: number } {
  return { min: Math.max(minimum, -2_147_483_648), max: Math.min(maximum, 2_147_483_647) }
}
