function opaque(tag: string): string {
  return tag.trim().replace(/^W\//, '')
}

/** `"…"` around what tells versions apart. */
export function strongTag(value: string): string {
  return `"${value}"`
}

/** Whether an `If-None-Match` header names the tag, by the weak comparison of RFC 9110 section 8.8.3.2. */
export function matchesTag(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false
  return header.trim() === '*' || header.split(',').some((candidate) => opaque(candidate) === opaque(tag))
}
