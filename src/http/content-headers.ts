import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../errors.ts'

const bodyless: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

function isEncoded(header: string | undefined): boolean {
  const codings = (header ?? '').split(',').map((coding) => coding.trim().toLowerCase())
  return codings.some((coding) => coding !== '' && coding !== 'identity')
}

function foreignCharset(header: string | undefined): string | null {
  const found = [...(header ?? '').matchAll(/;\s*charset\s*=\s*"?([^\s;"]*)/gi)].map(([, name]) => name ?? '')
  return found.find((name) => !/^utf-?8$/i.test(name)) ?? null
}

/** Refuses a body that is compressed or not in UTF-8, by its headers; throws `unsupported-media-type`. */
export function refuseForeignContent(request: FastifyRequest, reply: FastifyReply): void {
  if (bodyless.has(request.method)) return
  if (isEncoded(request.headers['content-encoding'])) {
    void reply.header('accept-encoding', 'identity')
    throw new AppError('unsupported-media-type', 'The body has to be sent as it is, without Content-Encoding.', {
      faults: [{ pointer: 'Content-Encoding', detail: 'is not supported' }],
    })
  }
  if (foreignCharset(request.headers['content-type']) !== null) {
    throw new AppError('unsupported-media-type', 'The body has to be UTF-8.', {
      faults: [{ pointer: 'Content-Type', detail: 'must not name another charset than utf-8' }],
    })
  }
}
