import { requestExamples } from '../../src/http/openapi-examples.ts'
import { hashOfKey } from '../../src/config/api-key.ts'
import type { ApiKey, Scope } from '../../src/config/api-key.ts'
import type { AccessOptions } from '../../src/http/app-parts.ts'
import { openAccess } from '../../src/http/open-access.ts'
import type { RouteAccess } from '../../src/http/route-scope.ts'

/** The key of a name: what its owner sends. */
export function keyOf(name: string): string {
  return `lma_test-key-of-${name}`
}

/** An entry of the settings for the key of a name. */
export function apiKey(name: string, ...scopes: readonly Scope[]): ApiKey {
  return { name, sha256: hashOfKey(keyOf(name)), scopes: scopes.length === 0 ? ['write'] : scopes }
}

/** Access with these keys. */
export function accessWith(apiKeys: readonly ApiKey[], changes: Partial<AccessOptions> = {}): AccessOptions {
  return { ...openAccess, failuresPerMinute: 100_000, apiKeys, ...changes }
}

/** The header that the owner of a key sends. */
export function bearer(name: string): { readonly authorization: string } {
  return { authorization: `Bearer ${keyOf(name)}` }
}

/** A request that a route takes. */
export interface ValidRequest {
  readonly method: string
  readonly path: string
  readonly body: unknown
}

function bodyFor({ url, schema }: RouteAccess): unknown {
  const examples = requestExamples[url.replaceAll(/:(\w+)/g, '{$1}')]
  const [example] = Object.values((examples ?? {}) as Readonly<Record<string, { readonly value: unknown }>>)
  if (example !== undefined) return example.value
  const body = schema?.body as { readonly nullable?: boolean } | undefined
  if (body === undefined || body.nullable === true) return undefined
  throw new Error(`nobody has told what a body of POST ${url} is: give an example in openapi-examples.ts`)
}

/**
 * A valid request for any route, made of its template and its example. `values` are those of the parameters; throws for
 * one that is not among them, so that a route with a new one is not passed over.
 */
export function requestFor(route: RouteAccess, values: Readonly<Record<string, string>>): ValidRequest {
  const path = route.url.replaceAll(/:(\w+)|\*/g, (parameter, name: string | undefined) => {
    const value = values[name ?? parameter]
    if (value === undefined) throw new Error(`nobody has told what ${parameter} of ${route.url} is`)
    return value
  })
  return { method: route.method, path, body: route.method === 'POST' ? bodyFor(route) : undefined }
}
