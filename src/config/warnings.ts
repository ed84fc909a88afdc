import type { Entry } from './reading.ts'
import { isSentryPlaceholder } from './sentry-placeholder.ts'
import { settingAt } from './setting-path.ts'
import type { SettingsFile } from './settings.ts'

const OF_ONE_SERVER = new Set(['openai_api_base', 'openai_api_key'])

/** What the author of valid settings should know. `entries`: those that count, of all sources. */
export function warningsOf(file: SettingsFile, entries: readonly Entry[]): readonly string[] {
  return [...warnOfPlaceholder(file), ...warnOfOneServer(file, entries)]
}

function warnOfPlaceholder(file: SettingsFile): readonly string[] {
  if (!isSentryPlaceholder(file.sentry_dsn)) return []
  return ['sentry_dsn is still the placeholder of the guide: errors are not reported to Sentry']
}

function warnOfOneServer(file: SettingsFile, entries: readonly Entry[]): readonly string[] {
  if (file.llm.endpoints.length === 0) return []
  // a default that is written out, as the config.yaml of the repository does, wants nothing
  const idle = entries
    .filter(({ path, value }) => OF_ONE_SERVER.has(path[0] ?? '') && value !== settingAt(path)?.default)
    .map(({ place, subject }) => (subject === '' ? place : `${place}: ${subject}`))
  if (idle.length === 0) return []
  return [
    `${idle.join(' and ')} ${idle.length === 1 ? 'has' : 'have'} no effect: llm.endpoints names the model servers`,
  ]
}
