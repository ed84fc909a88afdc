import type { FastifyRequest } from 'fastify'
import type { InputFault } from '../errors.ts'
import { AppError } from '../errors.ts'

interface QuerySchema {
  readonly properties?: Readonly<Record<string, { readonly type?: string }>>
}

function coerceValue(value: unknown, type: string | undefined): unknown {
  if (type === 'array') return Array.isArray(value) ? value : [value]
  const numeric =
    (type === 'integer' || type === 'number') && typeof value === 'string' && /^-?\d{1,15}(\.\d+)?$/.test(value)
  return numeric ? Number(value) : value
}

/** Query strings know only text: numbers and single values of a list become what the route's schema says. */
export function coerceQuery(query: Record<string, unknown>, schema: unknown): void {
  const properties = (schema as QuerySchema | undefined)?.properties ?? {}
  for (const [name, { type }] of Object.entries(properties)) {
    if (Object.hasOwn(query, name)) query[name] = coerceValue(query[name], type)
  }
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return null
  }
}

/** The parser of query strings leaves what it cannot decode as it is, so the raw text is looked at. */
function faultOfPair(pair: string): InputFault[] {
  const [name = '', ...value] = pair.split('=')
  const pointer = decoded(name) ?? name
  const isBroken = [name, ...value].some((text) => decoded(text) === null)
  return isBroken ? [{ pointer, detail: 'is not valid percent-encoded UTF-8' }] : []
}

/** Refuses a query string that is not percent-encoded UTF-8; throws `invalid-request`. */
export function refuseUndecodableQuery(request: FastifyRequest): void {
  const start = request.url.indexOf('?')
  if (start === -1) return
  const faults = request.url
    .slice(start + 1)
    .split('&')
    .flatMap(faultOfPair)
  if (faults.length > 0) throw new AppError('invalid-request', 'The query string cannot be decoded.', { faults })
}

/** Refuses every parameter on a route that takes none; throws `invalid-request`. */
export function refuseNeedlessQuery(request: FastifyRequest): void {
  const { schema } = request.routeOptions
  // Hidden are the files of the readable description, whose query strings are its own business.
  if (schema?.querystring !== undefined || schema?.hide === true) return
  // Probes and scrapers add parameters of their own, and must not fail for it.
  if (schema?.tags?.includes('operations') === true) return
  const faults = Object.keys(request.query as object).map((pointer) => {
    return { pointer, detail: 'is not known here: this takes no parameters' }
  })
  const [first] = faults
  if (first) throw new AppError('invalid-request', `Querystring ${first.pointer} ${first.detail}.`, { faults })
}
