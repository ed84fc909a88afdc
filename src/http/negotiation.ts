interface Range {
  readonly type: string
  readonly subtype: string
  readonly quality: number
}

function parseRange(text: string): Range | null {
  const [range = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  const [type, subtype] = range.split('/')
  if (!type || !subtype) return null
  const weight = parameters.find((parameter) => parameter.startsWith('q='))
  const quality = weight === undefined ? 1 : Number(weight.slice(2))
  return { type, subtype, quality: Number.isFinite(quality) ? quality : 0 }
}

/** How exactly a range names a media type: 3 itself, 2 its family, 1 anything, 0 not at all. */
function precision(range: Range, mediaType: string): number {
  if (`${range.type}/${range.subtype}` === mediaType) return 3
  if (range.subtype !== '*') return 0
  if (range.type === '*') return 1
  return mediaType.startsWith(`${range.type}/`) ? 2 : 0
}

/**
 * The offered media type that an `Accept` header prefers, by RFC 9110 section 12.5.1; among equals the one that it
 * names most exactly, then the one that is offered first. null: it admits none.
 */
export function negotiate(accept: string | undefined, offered: readonly string[]): string | null {
  if (accept === undefined || accept.trim() === '') return offered[0] ?? null
  const ranges = accept.split(',').flatMap((text) => parseRange(text) ?? [])
  let best: { readonly mediaType: string; readonly quality: number; readonly precision: number } | null = null
  for (const mediaType of offered) {
    const matches = ranges.map((range) => ({ quality: range.quality, precision: precision(range, mediaType) }))
    const match = matches.reduce((a, b) => (b.precision > a.precision ? b : a), { quality: 0, precision: 0 })
    if (match.quality <= 0) continue
    const better =
      best === null ||
      match.quality > best.quality ||
      (match.quality === best.quality && match.precision > best.precision)
    if (better) best = { mediaType, ...match }
  }
  return best?.mediaType ?? null
}
