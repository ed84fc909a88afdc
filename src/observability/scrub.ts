/** Takes secrets out of text. Never throws. */
export type Scrub = (text: string) => string

export const redacted = '[redacted]'

// every pattern is linear: no two unbounded parts that can match the same characters
const patterns: readonly (readonly [RegExp, string])[] = [
  [/\b(authorization["']?\s{0,4}[:=]\s{0,4}["']?)(?:(?:bearer|basic)\s{1,4})?[^\s"',;<>]+/gi, `$1${redacted}`],
  [/\bBasic\s{1,4}[A-Za-z0-9+/]{12,}={0,2}/g, `Basic ${redacted}`],
  [/\bBearer\s{1,4}[^\s"',;<>]+/gi, `Bearer ${redacted}`],
  [/\b(?:sk|pk|rk)-[A-Za-z0-9_-]{8,}/g, redacted],
  [/\blma_[A-Za-z0-9_-]{8,}/g, redacted],
  [/\bwhsec_[A-Za-z0-9+/=_-]+/g, redacted],
  [/\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_.-]+/g, redacted],
  [/:\/\/[^\s/"'<>]{1,1000}@/g, `://${redacted}@`],
  [/([?&](?:api[-_]?key|access[-_]?token|token|ticket|secret|password|key)=)[^&\s"'<>#]+/gi, `$1${redacted}`],
]

const shortestSecret = 6

/**
 * Takes out API keys (ours too), bearer tokens, webhook secrets, JSON web tokens, the userinfo of URLs, and each of `secrets`
 * (also where it stands percent-encoded). A secret shorter than 6 characters is none: it would garble every line.
 */
export function createScrub(secrets: readonly string[]): Scrub {
  const known = [...new Set(secrets.flatMap((secret) => [secret, encodeURIComponent(secret)]))]
    .filter((secret) => secret.length >= shortestSecret && secret !== 'not-needed')
    .toSorted((a, b) => b.length - a.length)
  return (text) => {
    const withoutKnown = known.reduce((rest, secret) => rest.replaceAll(secret, redacted), text)
    return patterns.reduce((rest, [pattern, replacement]) => rest.replaceAll(pattern, replacement), withoutKnown)
  }
}
