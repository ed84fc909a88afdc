import rateLimit from '@fastify/rate-limit'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../errors.ts'
import { isUnlimited } from './access.ts'
import type { HttpObserver } from './app-parts.ts'
import type { HttpApp } from './http-app.ts'
import type { Identity } from './keyring.ts'

const windowMs = 60_000
/** Who is remembered; of more, those that have not come for the longest time are forgotten. */
const remembered = 10_000

/** How many requests somebody may send. */
export interface RateLimit {
  /** Counts a request; throws `rate-limited` above the limit. Says in the headers of the answer what is left. */
  spend(request: FastifyRequest, reply: FastifyReply): Promise<void>
}

/** How often an address may be wrong about a key. */
export interface FailureLimit {
  /**
   * Throws `rate-limited` while too many wrong keys come from the address of a request. Who has been let in from there
   * before still is: others behind the same proxy must not lock him out.
   */
  refuse(request: FastifyRequest, identity: Identity | null): Promise<void>
  count(request: FastifyRequest): Promise<void>
}

interface Limits {
  readonly rate: RateLimit
  readonly failures: FailureLimit
}

interface LimitOptions {
  /** Requests a minute of one key, or of one client address where nobody has a key. 0: any number. */
  readonly ratePerMinute: number
  readonly failuresPerMinute: number
}

type Counter = ReturnType<HttpApp['createRateLimit']>

/** Whose limit it is: that of a key; '' for what counts by address. */
export function keyNameOf(request: FastifyRequest): string {
  return request.identity?.principal.name ?? ''
}

function createRateLimiter(app: HttpApp, max: number, observer: HttpObserver): RateLimit {
  const ofAddress = app.createRateLimit({ max, timeWindow: windowMs })
  const ofKey = app.createRateLimit({ max, timeWindow: windowMs, keyGenerator: keyNameOf })
  return {
    async spend(request, reply) {
      if (max === 0 || isUnlimited(request.routeOptions.schema)) return
      const key = keyNameOf(request)
      const spent = await (key === '' ? ofAddress : ofKey)(request)
      if (spent.isAllowed) return
      void reply.headers({
        'ratelimit-limit': String(max),
        'ratelimit-remaining': String(spent.remaining),
        'ratelimit-reset': String(spent.ttlInSeconds),
      })
      if (!spent.isExceeded) return
      observer.requestLimited?.({ key })
      const whose = key === '' ? 'this address' : 'this key'
      const message = `More than ${max} requests of ${whose} in a minute (RATE_LIMIT_PER_MINUTE).`
      throw new AppError('rate-limited', message, { retryAfterMs: spent.ttl })
    },
  }
}

/** Those that were let in, each by his address. */
function createAcquaintances() {
  const known = new Set<string>()
  return {
    remember(who: string): void {
      known.delete(who)
      known.add(who)
      const [oldest] = known
      if (known.size > remembered && oldest !== undefined) known.delete(oldest)
    },
    knows: (who: string) => known.has(who),
  }
}

function createFailureLimiter(failed: Counter): FailureLimit {
  const acquaintances = createAcquaintances()
  return {
    async refuse(request, identity) {
      const who = identity === null ? null : `${request.ip} ${identity.principal.name}`
      if (who !== null && acquaintances.knows(who)) return
      const past = await failed(request, { increment: false })
      if (!past.isAllowed && past.remaining === 0) {
        const message = 'Too many wrong keys came from this address.'
        throw new AppError('rate-limited', message, { retryAfterMs: past.ttl })
      }
      if (who !== null) acquaintances.remember(who)
    },
    async count(request) {
      await failed(request)
    },
  }
}

/** Counts in this process: each replica lets through as much. Headers are those of draft-ietf-httpapi-ratelimit-headers-06. */
export async function createLimits(app: HttpApp, options: LimitOptions, observer: HttpObserver): Promise<Limits> {
  await app.register(rateLimit, { global: false, cache: remembered })
  const failed = app.createRateLimit({ max: options.failuresPerMinute, timeWindow: windowMs })
  return { rate: createRateLimiter(app, options.ratePerMinute, observer), failures: createFailureLimiter(failed) }
}
