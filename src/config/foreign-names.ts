/** Settings of the Python project that the service follows; here they have no meaning, and its users' files still load. */
const GUIDE_ONLY: ReadonlySet<string> = new Set([
  'workspace',
  'enable_message_bus',
  'enable_task_persistence',
  'keycloak',
  'metrics_port',
  'health_check_port',
])

/** A variable that begins so and is no setting is probably misspelt. */
const OUR_PREFIXES = ['LLM_', 'OPENAI_', 'TASK_', 'MAX_', 'LOG_', 'ENABLE_', 'SSE_', 'AGENTS_', 'SENTRY_']

/** Variables that other programs, and the packages used here, read. */
const STANDARD: ReadonlySet<string> = new Set([
  'OPENAI_BASE_URL',
  'OPENAI_ORG_ID',
  'OPENAI_ORGANIZATION',
  'OPENAI_PROJECT_ID',
  'OPENAI_ADMIN_KEY',
  'OPENAI_WEBHOOK_SECRET',
  'OPENAI_LOG',
  'SENTRY_AUTH_TOKEN',
  'SENTRY_ORG',
  'SENTRY_PROJECT',
  'SENTRY_URL',
  'SENTRY_DEBUG',
  'SENTRY_NAME',
  'SENTRY_SPOTLIGHT',
  'SENTRY_TRACE',
  'SENTRY_BAGGAGE',
])

/** Is this a setting of the guide's project only? Takes the YAML name and the variable's alike. */
export function isOfGuideOnly(name: string): boolean {
  return GUIDE_ONLY.has(name.toLowerCase())
}

/** Does this unknown variable look as if it was meant for the service? */
export function looksLikeOurs(variable: string): boolean {
  return !STANDARD.has(variable) && OUR_PREFIXES.some((prefix) => variable.startsWith(prefix))
}
