import { listSettings } from '../../src/config/setting-list.ts'
import { SETTING_GROUPS } from '../../src/config/settings.ts'

// of Node, of the original that names its file so, and of OpenTelemetry
const others = /^(NODE_ENV|NODE_OPTIONS|NODE_COMPILE_CACHE|AGENT_CONFIG_PATH|OTEL_[A-Z_]+)$/

/** Whether the service, or Node, takes a variable of this name. */
export function isKnownVariable(name: string): boolean {
  const groups = SETTING_GROUPS.flatMap(({ settings }) => Object.keys(settings))
  const variables = new Set(listSettings(groups).flatMap((setting) => setting.variables))
  const plain = name.replace(/_FILE$/, '')
  return variables.has(name) || variables.has(plain) || others.test(name)
}
