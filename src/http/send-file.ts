import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../errors.ts'
import type { ArtifactFile } from '../workflows/service.ts'
import { parseByteRange } from './byte-range.ts'
import { matchesTag, strongTag } from './entity-tag.ts'

/** Headers of whatever a model has written: a browser takes it for what it is called, and runs nothing of it. */
export const inertHeaders = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; sandbox; frame-ancestors 'none'",
} as const

/** What a name in a dialog must not hold: it would not be seen, or be read in another order, or part folders. */
const unfit = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}/\\]/gu

/** `attachment` under a name that every client understands (RFC 6266). */
export function attachmentNamed(written: string): string {
  const name = written.replaceAll(unfit, '_')
  const plain = name.replaceAll(/[^\x20-\x7e]/gu, '_').replaceAll(/["%]/g, '_')
  const encoded = encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`)
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`
}

function contentTypeOf(mediaType: string): string {
  const isText = /^text\/|\+?(json|xml|javascript|yaml)$/.test(mediaType) && !mediaType.includes('charset')
  return isText ? `${mediaType}; charset=utf-8` : mediaType
}

function rangeOf(request: FastifyRequest, tag: string, size: number) {
  const condition = request.headers['if-range']
  return condition === undefined || condition === tag ? parseByteRange(request.headers.range, size) : null
}

/** Sends a file, or the part of it that is asked for; 304 and 416 where they belong. */
export function sendFile(request: FastifyRequest, reply: FastifyReply, file: ArtifactFile): FastifyReply {
  const tag = strongTag(file.sha256)
  const size = file.content.length
  void reply.headers({ ...inertHeaders, etag: tag, 'cache-control': 'private, no-cache', 'accept-ranges': 'bytes' })
  if (matchesTag(request.headers['if-none-match'], tag)) return reply.code(304).send()
  const range = rangeOf(request, tag, size)
  if (range === 'unsatisfiable') {
    void reply.header('content-range', `bytes */${size}`)
    throw new AppError('range-not-satisfiable', `It has ${size} bytes.`)
  }
  const name = file.path.split('/').at(-1) ?? file.path
  void reply.header('content-disposition', attachmentNamed(name)).type(contentTypeOf(file.media_type))
  if (range === null) return reply.send(file.content)
  void reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${size}`)
  return reply.send(file.content.subarray(range.start, range.end + 1))
}
