/** What the production guide writes where a DSN belongs: whoever copies its block has not filled it in yet. */
const placeholder = 'https://your-sentry-dsn'

/** True for the guide's placeholder, which starts the service with a warning instead of refusing it. */
export function isSentryPlaceholder(dsn: string): boolean {
  return dsn === placeholder
}
