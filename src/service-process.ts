import { readFileSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { parseArgs } from 'node:util'
import closeWithGrace from 'close-with-grace'
import { RoleSettingsError, createRoles } from './agents/roles.ts'
import type { Composition } from './compose.ts'
import { ConfigError, describeFaults } from './config/config-error.ts'
import { loadSettings } from './config/load.ts'
import type { LoadedSettings } from './config/load.ts'
import { printSettings } from './config/print.ts'
import { isSentryPlaceholder } from './config/sentry-placeholder.ts'
import type { Settings } from './config/settings.ts'
import { createLogger } from './observability/log.ts'
import type { Log } from './observability/log.ts'
import { writeMetricsSnapshot } from './observability/metrics-json.ts'
import { otelSecrets } from './observability/otel-environment.ts'
import { startSentry } from './observability/sentry.ts'
import type { Sentry } from './observability/sentry.ts'
import type { SpanWriter } from './observability/span.ts'
import { startTracing } from './observability/tracing.ts'
import { openStorage } from './open-storage.ts'
import { logOptions, secretsOf } from './part-options.ts'
import { allTemplates } from './workflows/all-templates.ts'
import { TemplateError } from './workflows/template-error.ts'

/** Exit codes of sysexits.h. */
const badUsage = 64
const badConfiguration = 78
/** Time that closing may take after the steps' grace; then the process exits 1. */
const closingMs = 10_000

const usage = `Usage: node src/main.ts [--config FILE] [--check-config | --print-config]

  --config FILE    settings in YAML; default config.yaml, which may be missing
  --check-config   validate the configuration and exit: 0, or 78 with every mistake
  --print-config   print the settings that result, secrets masked, and exit
`

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string
}

const flagOptions = {
  config: { type: 'string' },
  'check-config': { type: 'boolean', default: false },
  'print-config': { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const

function exitOnBadUsage(error: unknown): never {
  process.stderr.write(`${(error as Error).message}\n\n${usage}`)
  process.exit(badUsage)
}

function readFlags() {
  try {
    return parseArgs({ options: flagOptions }).values
  } catch (error) {
    return exitOnBadUsage(error)
  }
}

/** Mistakes of the operator are told in full and without a stack. */
function exitOnMistake(error: unknown): never {
  if (error instanceof ConfigError) process.stderr.write(`${describeFaults(error)}\n`)
  else if (error instanceof RoleSettingsError || error instanceof TemplateError) {
    process.stderr.write(`The configuration cannot be used:\n${error.message}\n`)
  } else throw error
  process.exit(badConfiguration)
}

function load(): LoadedSettings {
  try {
    return loadSettings({ argv: process.argv.slice(2), env: process.env, cwd: process.cwd() })
  } catch (error) {
    return exitOnMistake(error)
  }
}

/** Settings may name prompts and templates: they are part of the configuration. */
async function checkFiles(settings: Settings): Promise<void> {
  try {
    await allTemplates(settings.workflowTypesFiles, createRoles(settings.agents))
  } catch (error) {
    exitOnMistake(error)
  }
}

function tellGood(warnings: readonly string[]): void {
  for (const warning of warnings) process.stderr.write(`Warning: ${warning}\n`)
  process.stdout.write('The configuration is good.\n')
}

/** The process: settings, then the parts, then listening, until a signal closes them with grace. */
export async function runService(): Promise<void> {
  const flags = readFlags()
  if (flags.help) return void process.stdout.write(usage)
  const { settings, warnings, otel } = load()
  if (flags['print-config']) return void process.stdout.write(printSettings(settings))
  const isTerminal = process.stdout.isTTY && process.env['NO_COLOR'] === undefined
  await checkFiles(settings)
  if (flags['check-config']) return tellGood(warnings)
  const log = createLogger(logOptions(settings, isTerminal, otelSecrets(otel)))
  const logger = log.logger('main')
  for (const warning of warnings) logger.warning(warning)
  // Who rotates logs sends it by habit, and a terminal that closes does.
  process.on('SIGHUP', () => {
    logger.info('SIGHUP received: the log file is opened again if it was moved; settings are read at a start only')
    log.reopen()
  })
  const sentry = await startSentry({
    dsn: isSentryPlaceholder(settings.sentryDsn) ? '' : settings.sentryDsn,
    environment: settings.sentryEnvironment,
    release: settings.sentryRelease === '' ? version : settings.sentryRelease,
    tracesSampleRate: settings.sentryTracesSampleRate,
    secrets: [...secretsOf(settings), ...otelSecrets(otel)],
  })
  const tracing = await startTracing({ variables: otel, version, log })
  const onFatal = (exitCode: number, message: string) => {
    logger.critical(message)
    process.exit(exitCode)
  }
  const storage = await openStorage(settings, { log, onFatal })
  // Loaded only now: the files of the whole service, while the embedded database opens.
  const { compose } = await import('./compose.ts')
  const composition = await compose(settings, { log, sentry, tracing, version, storage }).catch(exitOnMistake)
  const isClosing = shutDownGracefully(settings, { composition, log, sentry, tracing })
  await run(settings, { composition, log, isClosing })
}

interface Startable {
  readonly composition: Composition
  readonly log: Log
  readonly isClosing: () => boolean
}

/** Listens at once, so that probes get an answer, and takes work as soon as the database is there. */
async function run(settings: Settings, { composition, log, isClosing }: Startable): Promise<void> {
  const logger = log.logger('main')
  try {
    const address = await composition.app.listen({ host: settings.host, port: settings.port })
    logger.info(`LLM Multi-Agent Service ${version} listens on ${address}`)
    await composition.start()
    logger.info('Ready')
    // A process that is killed writes no cache, and it is the next start that has to be fast.
    flushCompileCache()
  } catch (error) {
    // What is closed while it starts fails to start: the signal decides how the process ends.
    if (isClosing()) return
    logger.critical(`The service cannot start: ${error instanceof Error ? error.message : String(error)}`)
    await log.close()
    process.exit(1)
  }
}

interface Running {
  readonly composition: Composition
  readonly log: Log
  readonly sentry: Sentry
  readonly tracing: SpanWriter | null
}

/**
 * One signal drains, a second one exits at once; a defect that nobody caught drains too, and exits 1.
 * Returns whether that has begun.
 */
function shutDownGracefully(settings: Settings, { composition, log, sentry, tracing }: Running): () => boolean {
  const logger = log.logger('main')
  const graceMs = settings.shutdownGraceSeconds * 1000
  let closing = false
  closeWithGrace({ delay: graceMs + closingMs, logger: false, skip: ['SIGHUP'] }, async ({ signal, err }) => {
    closing = true
    if (err === undefined) logger.info(`${signal ?? 'Request'} received: shutting down`)
    else {
      logger.critical('A defect that nobody caught: shutting down', { error: err })
      sentry.captureDefect(err)
    }
    await composition.drain(graceMs)
    await composition.close()
    const { metrics } = composition
    if (metrics !== null && settings.metricsSnapshotFile !== '') {
      await writeMetricsSnapshot(metrics.json(), settings.metricsSnapshotFile, log.logger('observability.metrics'))
    }
    logger.info('Shutdown complete')
    await Promise.all([sentry.close(2000), tracing?.close(2000)])
    await log.close()
  })
  return () => closing
}
