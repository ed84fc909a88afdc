/**
 * The text of a JSON value that does not depend on the order in which its members came: names are sorted by their
 * UTF-16 code units at every level, as RFC 8785 has it. For values that JSON.parse makes, of bounded depth.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  const members = value as Readonly<Record<string, unknown>>
  const texts = Object.keys(members)
    .toSorted()
    .map((name) => `${JSON.stringify(name)}:${canonicalJson(members[name])}`)
  return `{${texts.join(',')}}`
}
