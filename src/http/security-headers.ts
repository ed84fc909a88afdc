import helmet from '@fastify/helmet'
import type { HttpApp } from './http-app.ts'

/**
 * Headers that keep a browser from doing with an answer what nobody meant: nothing of it is run, framed, or guessed at,
 * and its address, which may hold a ticket, is told to no other site. Pages and files of agents set their own
 * `Content-Security-Policy`. Not `Strict-Transport-Security`: whoever terminates TLS knows whether the whole host keeps
 * to it.
 */
export async function addSecurityHeaders(app: HttpApp): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] },
    },
    frameguard: { action: 'deny' },
    referrerPolicy: { policy: 'no-referrer' },
    hsts: false,
    // Of browsers that nobody has any more.
    dnsPrefetchControl: false,
    ieNoOpen: false,
    permittedCrossDomainPolicies: false,
    xssFilter: false,
  })
}
