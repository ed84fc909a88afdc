import { wellFormed } from './well-formed-text.ts'

const longestTextLength = 200
// enough that stripping tags still leaves a message, little enough that no pattern becomes slow
const longestInputLength = 8_192

/** Makes text of a model server fit for a message: no secret, no tags, one line, at most 200 characters. */
export type Scrub = (text: string) => string

/** `secrets` are taken out wherever they stand; very short ones are no secrets. */
export function createScrub(secrets: readonly string[]): Scrub {
  const known = secrets.filter((secret) => secret.length >= 6 && secret !== 'not-needed')
  return (text) => {
    const withoutKnown = known.reduce((rest, secret) => rest.replaceAll(secret, '…'), text)
    return shorten(withoutTags(withoutPatterns(withoutKnown.slice(0, longestInputLength))))
  }
}

function withoutPatterns(text: string): string {
  return text
    .replaceAll(/\bBearer\s+[^\s"'<>]+/gi, 'Bearer …')
    .replaceAll(/\bBasic\s+[A-Za-z0-9+/]{12,}={0,2}/g, 'Basic …')
    .replaceAll(/\b(?:sk|pk)-[^\s"'<>]+/g, 'sk-…')
    .replaceAll(/\/\/[^\s/"'<>@]{1,500}@/g, '//…@')
}

function withoutTags(text: string): string {
  return text
    .replaceAll(/<(script|style)\b[^>]{0,500}>[^<]*<\/\1\s*>/gi, ' ')
    .replaceAll(/<!--[^>]*-->/g, ' ')
    .replaceAll(/<[!/]?[a-z][^<>]*>/gi, ' ')
}

function shorten(text: string): string {
  // eslint-disable-next-line no-control-regex
  const line = text.replaceAll(/[\s\u0000-\u001f\u007f]+/g, ' ').trim()
  return wellFormed(line.length > longestTextLength ? `${line.slice(0, longestTextLength - 1)}…` : line)
}
