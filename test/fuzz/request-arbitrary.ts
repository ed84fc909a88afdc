import fc from 'fast-check'
import type { Description, Operation } from './description.ts'
import { arbitraryOf } from './schema-arbitrary.ts'

/** A request whose ids are still to be chosen. */
export interface FuzzedRequest {
  readonly operation: Operation
  /** By name of the path parameter: text, or the number of one that is there. */
  readonly params: Readonly<Record<string, string | number>>
  readonly query: Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, string>>
  /** As it is sent; null: none. */
  readonly body: string | null
}

const junk = fc.oneof(
  fc.string({ minLength: 1, maxLength: 30 }),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 10 }),
  fc.constantFrom('..', '%', '%00', '..%2f..', 'null', 'wf_0', `wf_${'0'.repeat(32)}`, 'x'.repeat(2000), '*', '.'),
)
const param = fc.oneof({ weight: 9, arbitrary: fc.nat(1000) }, { weight: 1, arbitrary: junk })
const headerText = fc.stringMatching(/^[\x20-\x7e]{0,60}$/)

/** Headers that change what a request asks for; waits are short. */
const headers = fc.record(
  {
    accept: fc.constantFrom('application/json', 'text/event-stream', '*/*', 'text/html', 'text/vnd.mermaid', 'a/b;q=x'),
    prefer: fc.constantFrom('wait=1', 'wait=0', 'wait=x', 'wait=999', 'respond-async'),
    'idempotency-key': fc.oneof(
      fc.constantFrom('one', 'two'),
      headerText.filter(({ length }) => length > 0),
    ),
    'last-event-id': headerText,
    'if-none-match': fc.oneof(headerText, fc.constant('*')),
    range: fc.constantFrom('bytes=0-3', 'bytes=-1', 'bytes=9-1', 'bytes=99999999-', 'lines=1-2', 'bytes=0-1,3-4'),
    'x-correlation-id': headerText,
    traceparent: fc.oneof(headerText, fc.constant(`00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`)),
    'content-type': fc.constantFrom('application/json', 'application/json; charset=utf-8', 'text/plain', 'a', ''),
    'content-encoding': fc.constantFrom('gzip', 'identity', 'br'),
  },
  { requiredKeys: [] },
)

/** Few of these at once: most requests are to come through to the route. */
function someOf<T extends object>(all: fc.Arbitrary<T>): fc.Arbitrary<Partial<T>> {
  return fc.tuple(all, fc.array(fc.nat(12), { maxLength: 2 })).map(([given, picks]) => {
    const entries = Object.entries(given)
    return Object.fromEntries(picks.map((pick) => entries[pick]).filter((entry) => entry !== undefined)) as Partial<T>
  })
}

function bodyOf({ body, bodyExamples }: Operation, { resolve }: Description): fc.Arbitrary<string | null> {
  if (body === null)
    return fc.oneof({ weight: 30, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.string() })
  const fits = arbitraryOf(body, resolve).map((value) => JSON.stringify(value) ?? '')
  const broken = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 50 }),
    fc.constantFrom('{', '[[[[', '{"a":1,"a":2}', ''),
  )
  const example =
    bodyExamples.length === 0 ? fits : fc.constantFrom(...bodyExamples).map((value) => JSON.stringify(value))
  return fc.oneof(
    { weight: 12, arbitrary: fits },
    { weight: 8, arbitrary: example },
    { weight: 1, arbitrary: broken },
    { weight: 1, arbitrary: fc.constant(null) },
  )
}

function queryOf({ parameters }: Operation, { resolve }: Description): fc.Arbitrary<Record<string, unknown>> {
  const known = parameters.filter((one) => one.in === 'query' && one.name !== 'wait')
  const values = known.map(({ name, schema }) => [name, arbitraryOf(schema ?? {}, resolve)] as const)
  const wait = parameters.some(({ name }) => name === 'wait') ? { wait: fc.constantFrom(0, 0, 0, 1, -1, 'x') } : {}
  const all = fc.record({ ...Object.fromEntries(values), ...wait }, { requiredKeys: [] })
  const odd = fc.dictionary(fc.string({ maxLength: 10 }), fc.string({ maxLength: 10 }), { maxKeys: 2 })
  return fc.oneof({ weight: 12, arbitrary: someOf(all) }, { weight: 1, arbitrary: odd })
}

/** Requests to one operation: mostly as it wants them. */
function requestsTo(operation: Operation, description: Description): fc.Arbitrary<FuzzedRequest> {
  const names = operation.path.match(/(?<=\{)[^}]+(?=\})/g) ?? []
  return fc.record({
    operation: fc.constant(operation),
    params: fc.record(Object.fromEntries(names.map((name) => [name, param]))),
    query: queryOf(operation, description),
    headers: someOf(headers),
    body:
      operation.method === 'GET' || operation.method === 'HEAD' ? fc.constant(null) : bodyOf(operation, description),
  })
}

/** Requests to every operation of the description. */
export function requestsOf(description: Description): fc.Arbitrary<FuzzedRequest> {
  return fc.oneof(...description.operations.map((operation) => requestsTo(operation, description)))
}
