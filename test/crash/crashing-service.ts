import { writeSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { parseArgs } from 'node:util'
import { compose } from '../../src/compose.ts'
import { loadSettings } from '../../src/config/load.ts'
import { createLogger } from '../../src/observability/log.ts'
import { startSentry } from '../../src/observability/sentry.ts'
import { openStorage } from '../../src/open-storage.ts'
import { logOptions } from '../../src/part-options.ts'
import type { Database } from '../../src/storage/database.ts'
import { createCrashingStore } from '../support/crashing-store.ts'
import type { CrashingStore, CrashPoint } from '../support/crashing-store.ts'

// The service as a process that kills itself at the statement that it is given. On SIGUSR2 it says what is in its
// database, and from then on its statements count; with --from-start they all do.

const inspection = `SELECT
  (SELECT count(*)::integer FROM pgboss.job WHERE name = 'activation' AND state < 'completed') AS "liveJobs",
  (SELECT count(*)::integer FROM agents.workflows WHERE active) AS active,
  (SELECT count(*)::integer FROM agents.workflows) AS workflows,
  (SELECT count(*)::integer FROM agents.attempts WHERE status = 'open') AS "openAttempts"`

/** At once, as the next thing that it does may be to die. */
function say(message: string, fields: object = {}): void {
  writeSync(1, `${JSON.stringify({ level: 'INFO', logger: 'crash', message, ...fields })}\n`)
}

const { values } = parseArgs({
  options: { statement: { type: 'string' }, moment: { type: 'string' }, 'from-start': { type: 'boolean' } },
})

function readPoint(): CrashPoint | null {
  if (values.statement === undefined) return null
  return { statement: Number(values.statement), moment: values.moment === 'before' ? 'before' : 'after' }
}

const { settings } = loadSettings({ argv: [], env: process.env, cwd: process.cwd() })
const log = createLogger(logOptions(settings, false))
const sentry = await startSentry({ dsn: '', environment: 'test', release: 'test', tracesSampleRate: 0 })
const parts = {
  point: readPoint(),
  die: () => void process.kill(process.pid, 'SIGKILL'),
  onStatement: (statement: object) => say('Statement', statement),
}

async function inspect(store: CrashingStore): Promise<void> {
  const { rows } = await store.query<object>(inspection)
  store.count()
  say('Inspected', rows[0])
}

function around(database: Database): Database {
  const store = createCrashingStore(database, parts)
  if (values['from-start'] === true) store.count()
  process.on('SIGUSR2', () => void inspect(store))
  return store
}

const onFatal = (exitCode: number) => process.exit(exitCode)
const storage = await openStorage(settings, { log, onFatal, around })
const { app, start } = await compose(settings, { log, sentry, version: 'test', storage })
const address = await app.listen({ host: settings.host, port: settings.port })
say(`The service listens on ${address}`)
await start()
say('Ready')
flushCompileCache()
