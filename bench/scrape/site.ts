import { join } from 'node:path'
import { openDatabase } from '../../src/storage/open-database.ts'
import type { ModelServerDouble } from '../../test/support/fault-server.ts'
import { type ServiceProcess, startServiceProcess } from '../../test/support/service-process.ts'
import { storeWorkflows, storeWorkflowsBy } from '../engine/stored-workflows.ts'
import { pause } from '../pause.ts'
import { readStartOptions } from '../start-options.ts'
import { startWorkflows } from '../start-workflows.ts'

/** Where the service under test runs. */
export interface ScrapeSite {
  readonly directory: string
  /** null: the embedded database, in `directory`. */
  readonly databaseUrl: string | null
  readonly model: ModelServerDouble
}

/** Starts the service there, with every label that it can have in use. */
export async function startBusyService(site: ScrapeSite): Promise<ServiceProcess> {
  const service = startServiceProcess({
    directory: site.directory,
    nodeOptions: await readStartOptions(),
    env: {
      OPENAI_API_BASE: site.model.url,
      LLM_PRICES: JSON.stringify({ 'test-model': { input: 1, cached_input: 1, output: 1 } }),
      ...(site.databaseUrl === null ? {} : { DATABASE_URL: site.databaseUrl }),
    },
  })
  await service.ready()
  await makeBusy(await service.listening)
  return service
}

/** Ends it in order. */
export async function leave(service: ServiceProcess): Promise<void> {
  service.signal('SIGTERM')
  await service.ended
}

/** Leaves so many ended workflows in its database; the service must not run. */
export async function fill({ databaseUrl, directory }: ScrapeSite, count: number): Promise<void> {
  if (databaseUrl !== null) return storeWorkflows(databaseUrl, count)
  const database = await openDatabase(
    {
      databaseUrl: null,
      dataDirectory: join(directory, 'data'),
      poolSize: 1,
      statementTimeoutMs: 600_000,
      lockTimeoutMs: 10_000,
    },
    { onFatal: (_exitCode, message) => process.stderr.write(`${message}\n`) },
  )
  try {
    await storeWorkflowsBy(async (text, values) => (await database.query<object>(text, values)).rows, count)
  } finally {
    await database.close()
  }
}

const requirement = 'Have something to measure.'
const types = ['feature_development', 'bug_fix', 'infrastructure', 'documentation', 'analysis']
const one = { type: 'custom', requirement, steps: [{ id: 'one', role: 'developer', task: 'Do it.' }] }

/** A workflow of each type, the shortest last; then everything that can be read of that. */
async function makeBusy(url: string): Promise<void> {
  const context = { bug_description: 'It does not work.' }
  for (const body of [...types.map((type) => ({ type, requirement, context })), one]) {
    const [id = ''] = await startWorkflows(url, body, 1)
    await untilEnded(`${url}/workflows/${id}`)
    for (const path of ['', '/graph', '/artifacts', '/artifacts.zip', '/artifacts/none', '/events?wait=0', '/none']) {
      await look(`${url}/workflows/${id}${path}`)
    }
  }
  for (const path of ['workflows', 'agents', 'agents/developer', 'workflow-types', 'approvals', 'health', 'livez']) {
    await look(`${url}/${path}`)
    await look(`${url}/${path}`, 'PUT')
  }
}

async function look(url: string, method = 'GET'): Promise<number> {
  const answer = await fetch(url, { method, headers: { accept: 'application/json' } })
  await answer.arrayBuffer()
  return answer.status
}

async function untilEnded(url: string): Promise<void> {
  for (;;) {
    const workflow = (await (await fetch(url)).json()) as { readonly status: string }
    if (workflow.status === 'completed') return
    if (workflow.status === 'failed') throw new Error('A workflow failed that was to be measured.')
    await pause(20)
  }
}
