import type { RouteOptions } from 'fastify'
import type { Scope } from '../config/api-key.ts'

/** What a key needs for a route; `none`: nobody is asked. */
export type RouteScope = Scope | 'none'

/** One route of the application, with what a test needs to ask for it. */
export interface RouteAccess {
  readonly method: string
  /** Its template: `/workflows/:id`. */
  readonly url: string
  readonly scope: RouteScope
  readonly schema: RouteOptions['schema']
}
