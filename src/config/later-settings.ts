/**
 * Settings, as `config.yaml` would have them, that the product knows and this version does not have yet. Whoever sets
 * one relies on it, so it is refused. A setting that arrives leaves the list.
 */
const LATER: readonly string[] = [
  'api_keys',
  'api_keys_file',
  'log_file_keep_days',
  'max_sse_connections_per_key',
  'overload_event_loop_delay_ms',
  'rate_limit_per_minute',
  'stream_ticket_seconds',
]

const VARIABLES = new Set(LATER.map((path) => path.replaceAll('.', '_').toUpperCase()))
const KEYS = new Set(LATER.map((path) => path.split('.')[0]))

/** What is wrong with setting one. */
export const NO_SUCH_SETTING = 'this version has no such setting'

/** Does this variable stand for a setting that this version does not have? */
export function isLaterVariable(variable: string): boolean {
  return VARIABLES.has(variable)
}

/** Is this key at the top of `config.yaml` such a setting, or a table of them? */
export function isLaterKey(key: string): boolean {
  return KEYS.has(key)
}
