import { preparedForTests, temporaryDirectory } from '../support/database.ts'
import { startServiceProcess } from '../support/service-process.ts'
import type { ServiceProcess } from '../support/service-process.ts'
import { customStep, getJson, postWorkflow } from '../smoke/smoke-test.ts'
import type { SeenWorkflow } from '../smoke/smoke-test.ts'
import type { Follow, FollowedStream } from './followed-stream.ts'
import { startTalkingModel } from './talking-model.ts'
import type { TalkingModel } from './talking-model.ts'

/** What came of it. */
export interface RestartedRun {
  readonly streams: ReadonlyMap<string, FollowedStream>
  /** The workflow as it ended. */
  readonly workflow: SeenWorkflow
}

const steps = [customStep('killed'), customStep('restarted', ['killed'])]

interface Stage {
  readonly model: TalkingModel
  readonly streams: readonly FollowedStream[]
  /** How the process ends. */
  end(): Promise<void>
  start(): Promise<void>
}

/** In the middle of a text the process ends; the next one begins it anew, and ends it when every client is back. */
async function restartWithin({ model, streams, end, start }: Stage, step: string, call: number): Promise<void> {
  const every = (attempt: number, text: string) =>
    Promise.all(streams.map(({ journal }) => journal.until(() => journal.text(step, attempt) === text)))
  await every(1, model.firstHalf(call))
  await end()
  await start()
  await every(2, model.firstHalf(call + 1))
  model.release(call + 1)
}

function startServices(directory: string, env: Readonly<Record<string, string>>) {
  let current: ServiceProcess | null = null
  let url = ''
  return {
    url: () => url,
    async start() {
      const port = url === '' ? '0' : new URL(url).port
      current = startServiceProcess({ directory, env: { ...env, PORT: port } })
      url = await current.listening
      await current.ready()
    },
    kill: async () => current?.kill(),
    async stop() {
      current?.signal('SIGTERM')
      await current?.ended
    },
  }
}

/**
 * Runs a workflow of two steps that all clients follow: the service is killed in the first, and stopped as for an
 * update in the second, each time in mid-stream, and started again under its address.
 */
export async function runThroughRestarts(
  clients: Readonly<Record<string, Follow>>,
  env: Readonly<Record<string, string>>,
): Promise<RestartedRun> {
  await preparedForTests()
  const { path, remove } = await temporaryDirectory()
  const model = await startTalkingModel()
  const own = { OPENAI_API_BASE: model.server.url, SHUTDOWN_GRACE_SECONDS: '0.1' }
  const service = startServices(path, { ...own, ...env })
  const streams = new Map<string, FollowedStream>()
  try {
    await service.start()
    const { id } = await postWorkflow(service.url(), { type: 'custom', requirement: 'Watch.', steps })
    const events = `${service.url()}/workflows/${id}/events`
    for (const [name, follow] of Object.entries(clients)) streams.set(name, await follow(events))
    const stage = { model, streams: [...streams.values()], start: service.start }
    await restartWithin({ ...stage, end: service.kill }, 'killed', 0)
    await restartWithin({ ...stage, end: service.stop }, 'restarted', 2)
    await Promise.all(stage.streams.map(({ over }) => over))
    return { streams, workflow: await getJson<SeenWorkflow>(`${service.url()}/workflows/${id}`) }
  } finally {
    await Promise.all([...streams.values()].map(async (stream) => stream.close()))
    await service.kill()
    await model.server.close()
    await remove()
  }
}
