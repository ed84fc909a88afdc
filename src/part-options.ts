import type { AgentDefaults, AgentsParts } from './agents/create-agents.ts'
import { parseApiKey } from './config/api-key.ts'
import type { ApiKey } from './config/api-key.ts'
import type { Settings } from './config/settings.ts'
import type { AccessOptions, AppOptions } from './http/app-parts.ts'
import type { EndpointOptions, LlmClientOptions } from './llm/llm-client.ts'
import { urlSecrets } from './llm/url-secrets.ts'
import type { LogOptions } from './observability/log.ts'
import type { StorageOptions } from './storage/open-database.ts'
import type { PromptRepair } from './workflows/pass.ts'

const ms = (seconds: number) => Math.round(seconds * 1000)
const orNull = (text: string) => (text === '' ? null : text)

/** The model servers: those that are listed, else the one of `OPENAI_API_*`. */
function endpointsOf({ llm, openaiApiBase, openaiApiKey }: Settings): readonly EndpointOptions[] {
  if (llm.endpoints.length > 0) return llm.endpoints
  return [{ name: 'default', baseUrl: openaiApiBase, apiKey: openaiApiKey, models: [], order: 1, maxInFlight: 0 }]
}

/** Where an endpoint is, for messages. */
export function urlOfEndpoint(settings: Settings, name: string): string | undefined {
  return endpointsOf(settings).find((endpoint) => endpoint.name === name)?.baseUrl
}

/** What may be done about a prompt that is too long. */
export function promptRepair({ llm, llmContextTruncation }: Settings): PromptRepair {
  return { fallbackModel: orNull(llm.contextFallbackModel), mayCut: llmContextTruncation }
}

/** Every model that the configuration names. */
export function modelNames({ openaiApiModel, agents, llm }: Settings): readonly string[] {
  const ofRoles = Object.values(agents).map(({ model }) => model ?? '')
  const ofEndpoints = llm.endpoints.flatMap(({ models }) => models)
  const all = [openaiApiModel, llm.contextFallbackModel, ...ofRoles, ...ofEndpoints]
  return [...new Set(all.filter((name) => name !== ''))]
}

/** Settings are in the units of their users; each part has its own terms. This is where one becomes the other. */
export function llmOptions(settings: Settings): LlmClientOptions {
  return {
    endpoints: endpointsOf(settings),
    retryBudgetPercent: settings.llmRetryBudgetPercent,
    defaultModel: orNull(settings.openaiApiModel),
    contextWindow: settings.llmContextWindow === 0 ? null : settings.llmContextWindow,
    connectTimeoutMs: ms(settings.llmConnectTimeout),
    firstTokenTimeoutMs: ms(settings.llmFirstTokenTimeout),
    idleTimeoutMs: ms(settings.llmIdleTimeout),
    callTimeoutMs: ms(settings.llmTimeout),
    maxResponseBytes: settings.llmMaxResponseBytes,
    breaker: {
      threshold: settings.llmCircuitBreakerThreshold,
      openMs: ms(settings.llmCircuitBreakerTimeout),
      halfOpen: settings.llmCircuitBreakerHalfOpen,
    },
  }
}

/** What holds for every role unless it says otherwise. */
export function agentDefaults(settings: Settings): AgentDefaults {
  return {
    temperature: settings.openaiTemperature,
    maxTokens: settings.openaiMaxTokens,
    stream: settings.llmStreamResponses,
    maxContinuations: settings.llmMaxContinuations,
    contextTruncation: settings.llmContextTruncation,
    perFileLimit: settings.perFileLimit,
    maxArtifactBytes: settings.maxArtifactBytes,
    maxArtifactsPerStep: settings.maxArtifactsPerStep,
  }
}

/** What the configuration says of each role. */
export function agentSettings({ agents }: Settings): NonNullable<AgentsParts['settings']> {
  const entries = Object.entries(agents).map(([role, { enabled, model, temperature, maxTokens }]) => {
    return [role, { enabled, model: model ?? null, temperature: temperature ?? null, maxTokens: maxTokens ?? null }]
  })
  return Object.fromEntries(entries) as NonNullable<AgentsParts['settings']>
}

/** What holds for every workflow. */
export function workflowLimits({ maxQueuedWorkflows, maxRevisions, approvalTimeoutSeconds }: Settings) {
  return { maxQueuedWorkflows, maxRevisions, approvalTimeoutMs: ms(approvalTimeoutSeconds) }
}

/** Where state lives. */
export function storageOptions(settings: Settings, preparedDirectory: string): StorageOptions {
  return {
    databaseUrl: orNull(settings.databaseUrl),
    dataDirectory: settings.dataDirectory,
    poolSize: settings.databasePoolSize,
    statementTimeoutMs: ms(settings.databaseStatementTimeout),
    lockTimeoutMs: ms(settings.databaseLockTimeout),
    preparedDirectory,
    publishes: settings.outputDirectory !== '',
  }
}

const failuresPerMinute = 60

/** The configured keys. Entries that are no keys have been refused with the rest of the configuration. */
function apiKeysOf({ apiKeys }: Settings): readonly ApiKey[] {
  return apiKeys.map(parseApiKey).filter((key) => 'name' in key)
}

/** Names of the API keys that are asked for. */
export function keyNames(settings: Settings): readonly string[] {
  return accessOptions(settings).apiKeys.map(({ name }) => name)
}

function accessOptions(settings: Settings): AccessOptions {
  return {
    apiKeys: settings.auth === 'none' ? [] : apiKeysOf(settings),
    ratePerMinute: settings.rateLimitPerMinute,
    failuresPerMinute,
    maxStreamsPerKey: settings.maxSseConnectionsPerKey,
    overloadDelayMs: settings.overloadEventLoopDelayMs,
    ticketMs: ms(settings.streamTicketSeconds),
  }
}

/** The edge. */
export function appOptions(settings: Settings, version: string): AppOptions {
  return {
    version,
    bodyLimitBytes: settings.bodyLimitBytes,
    trustProxy: settings.trustProxy,
    corsOrigins: settings.corsOrigins,
    access: accessOptions(settings),
    maxSseConnections: settings.maxSseConnections,
    sseHeartbeatMs: ms(settings.sseHeartbeatSeconds),
    sseSlowClientMs: ms(settings.sseSlowClientSeconds),
    notReadyHoldMs: 10_000,
  }
}

/** Everything that may never be printed. */
export function secretsOf(settings: Settings): readonly string[] {
  const { openaiApiKey, databaseUrl, sentryDsn, llm, webhooks } = settings
  const keys = llm.endpoints.map(({ apiKey }) => apiKey)
  const urls = [databaseUrl, settings.openaiApiBase, ...llm.endpoints.map(({ baseUrl }) => baseUrl)]
  const dsnKey = URL.canParse(sentryDsn) ? new URL(sentryDsn).username : ''
  return [openaiApiKey, databaseUrl, sentryDsn, dsnKey, webhooks.secret, ...keys, ...urls.flatMap(urlSecrets)].filter(
    (secret) => secret !== '' && secret !== 'not-needed',
  )
}

/** The log. `isTerminal`: colour is of use, and nobody forbade it. `secrets`: those that are no settings. */
export function logOptions(settings: Settings, isTerminal: boolean, secrets: readonly string[] = []): LogOptions {
  return {
    level: settings.logLevel,
    structured: settings.enableStructuredLogging,
    coloured: settings.coloredConsole && isTerminal,
    file: orNull(settings.logFile),
    fileKeepDays: settings.logFileKeepDays,
    secrets: [...secretsOf(settings), ...secrets],
  }
}
