import { test as base } from 'vitest'
import { preparedForTests, temporaryDirectory } from '../support/database.ts'
import { startModelServer } from '../support/fault-server.ts'
import type { ModelServerDouble } from '../support/fault-server.ts'
import { startServiceProcess } from '../support/service-process.ts'
import type { Environment, ServiceProcess, ServiceProcessOptions } from '../support/service-process.ts'

type Start = Partial<ServiceProcessOptions>

/** A place where processes of the service run, one after the other or at once, on the same data directory. */
export interface Site {
  readonly directory: string
  /** Starts a process, pointed at the model server, and does not wait for it. */
  spawn(options?: Start): ServiceProcess
  /** Starts a process and waits until it is ready. */
  start(env?: Environment): Promise<ReadyService>
  /** Address of the process that was ready last. */
  url(): string
}

export interface ReadyService extends ServiceProcess {
  readonly url: string
  readonly readyMs: number
}

/** `model`: a model server that does as told. `site`: real processes, which do not outlive their test. */
export const test = base.extend<{ model: ModelServerDouble; site: Site }>({
  model: async ({}, use) => {
    const model = await startModelServer()
    await use(model)
    await model.close()
  },
  site: async ({ model, onTestFailed }, use) => {
    await preparedForTests()
    const { path, remove } = await temporaryDirectory()
    const processes: ServiceProcess[] = []
    onTestFailed(() => processes.forEach(showLog))
    await use(createSite(path, model, processes))
    await Promise.all(processes.map((service) => service.kill()))
    await remove()
  },
})

/** What a process had to complain about, for whoever looks into a failed test. */
function showLog(service: ServiceProcess): void {
  const lines = service.log().filter(({ level }) => level !== 'DEBUG' && level !== 'INFO')
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
  process.stdout.write(`process ${service.pid}:\n${text}${service.stderr()}`)
}

function createSite(directory: string, model: ModelServerDouble, processes: ServiceProcess[]): Site {
  let url = ''
  const spawn = ({ env = {}, ...options }: Start = {}) => {
    const service = startServiceProcess({
      directory,
      env: { OPENAI_API_BASE: model.url, ...env },
      ...options,
    })
    processes.push(service)
    return service
  }
  return {
    directory,
    spawn,
    url: () => url,
    async start(env = {}) {
      const service = spawn({ env })
      const readyMs = await service.ready()
      url = await service.listening
      return { ...service, url, readyMs }
    },
  }
}

/** The parts of a workflow that the tests look at. */
export interface SeenWorkflow {
  readonly correlation_id: string
  readonly id: string
  readonly status: string
  readonly error: { readonly code: string; readonly message: string } | null
  readonly steps: readonly {
    readonly id: string
    readonly status: string
    readonly attempt: number
    readonly output: string | null
    readonly error: { readonly code: string; readonly attempts?: number } | null
  }[]
}

/** Starts a workflow; throws what the service says when it refuses. */
export async function postWorkflow(url: string, body: object): Promise<SeenWorkflow> {
  const answer = await fetch(`${url}/workflows`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (answer.status !== 202) throw new Error(`${answer.status} ${await answer.text()}`)
  return (await answer.json()) as SeenWorkflow
}

/** GET of anything that is JSON, whatever its status. */
export async function getJson<T>(url: string): Promise<T> {
  const answer = await fetch(url, { headers: { accept: 'application/json' } })
  return (await answer.json()) as T
}

/** A step whose call at the model can be told from others: its task is in the user's message. */
export function customStep(id: string, dependsOn: readonly string[] = []): object {
  return { id, role: 'developer', task: taskOf(id), depends_on: dependsOn }
}

/** Task of a custom step. */
export function taskOf(id: string): string {
  return `Do what <${id}> stands for.`
}
