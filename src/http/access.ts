import type { RouteOptions } from 'fastify'
import { AppError } from '../errors.ts'
import type { HttpApp } from './http-app.ts'
import type { Identity } from './keyring.ts'
import { hasScope } from './keyring.ts'
import type { RouteAccess, RouteScope } from './route-scope.ts'
import { problems } from './schemas.ts'

/** The readable description is registered by a plugin, which knows nothing of scopes. */
const docs = /^\/docs(\/|$)/

/** How a client shows who it is, for the description. */
export const securitySchemes = {
  bearer: { type: 'http', scheme: 'bearer', description: 'An API key. Needed once keys are configured.' },
  ticket: {
    type: 'apiKey',
    in: 'query',
    name: 'ticket',
    description: 'A ticket for this one stream, from its `POST …/ticket`: an EventSource cannot send headers.',
  },
} as const

function scopeOf({ url, config }: RouteOptions): RouteScope {
  const scope = docs.test(url) ? 'none' : config?.scope
  if (scope === undefined) throw new Error(`the route ${url} does not say which scope it needs`)
  return scope
}

/** With which statuses a request may be refused before its route is asked. */
const refusals: Readonly<Record<RouteScope, readonly number[]>> = {
  none: [429],
  read: [401, 429],
  write: [401, 403, 429],
  admin: [401, 403, 429],
}

/** What machines that watch over the service ask is never refused. */
export function isUnlimited(schema: RouteOptions['schema']): boolean {
  return schema?.tags?.includes('operations') === true
}

function describe(route: RouteOptions, scope: RouteScope): void {
  const { schema, config } = route
  if (schema === undefined || isUnlimited(schema)) return
  const response = { ...problems(...refusals[scope]), ...(schema.response as object | undefined) }
  const ticket = config?.takesTicket === undefined ? [] : [{ ticket: [] }]
  const security = scope === 'none' ? [] : [{ bearer: [] }, ...ticket]
  route.schema = { ...schema, response, security }
}

/**
 * Watches the routes as they are added, and describes what each needs: call it before the first one. A route that does
 * not say which scope it needs throws. Returns the table that it fills.
 */
export function watchAccess(app: HttpApp): readonly RouteAccess[] {
  const table: RouteAccess[] = []
  app.addHook('onRoute', (route) => {
    // Every path has OPTIONS, which tells nothing.
    if (route.method === 'OPTIONS') return
    const scope = scopeOf(route)
    route.config = { ...route.config, scope }
    describe(route, scope)
    for (const method of [route.method].flat()) table.push({ method, url: route.url, scope, schema: route.schema })
  })
  return table
}

/** Throws `forbidden`, naming the scope that somebody lacks. */
export function refuseWithoutScope(identity: Identity, needed: RouteScope): void {
  if (needed === 'none' || hasScope(identity, needed)) return
  throw new AppError('forbidden', `This needs a key with the scope "${needed}".`)
}
