import { setTimeout as delay } from 'node:timers/promises'
import { preparedForTests, temporaryDirectory } from '../support/database.ts'
import { startModelServer } from '../support/fault-server.ts'
import { startServiceProcess } from '../support/service-process.ts'
import type { ServiceProcess } from '../support/service-process.ts'
import { readStream } from '../smoke/event-connection.ts'
import { createEventJournal } from '../smoke/event-journal.ts'
import type { EventJournal } from '../smoke/event-journal.ts'
import { openStreams, startTalk, statusOf } from './service-client.ts'

export interface StormOptions {
  readonly clients: number
  /** Workflows that run, each followed by its share of the clients. */
  readonly workflows: number
  /** When a client comes back after it has lost its stream, in milliseconds; all do so together. */
  readonly comeBackMs: number
}

export interface StormOutcome {
  /** From listening again until the first client, and the last one, had text that was made after it; in milliseconds. */
  readonly firstServedMs: number
  readonly lastServedMs: number
  /** From listening again until the service was ready. */
  readonly readyMs: number
  /** From the last word of the models until every stream had ended. */
  readonly lastEndedMs: number
  /** Connections that were refused or broken off on the way. */
  readonly failedTries: number
  /** What broke a promise: of a stream, or of a workflow that has not completed. */
  readonly faults: readonly string[]
  /** Streams that the service holds to be open in the end. */
  readonly leftOpen: number
}

const halfText = Array.from({ length: 20 }, (_, n) => `word ${n} 😀 `)
const chunks = [...halfText, ...halfText]
const half = halfText.join('')

/** Everything that the parts of one storm share. */
interface Storm {
  readonly options: StormOptions
  readonly journals: readonly EventJournal[]
  readonly ids: readonly string[]
  readonly url: string
  readonly tries: { failed: number }
}

function urlOf({ url, ids }: Storm, client: number): string {
  return `${url}/workflows/${ids[client % ids.length]}/events`
}

async function follow(storm: Storm, client: number, stop: AbortSignal): Promise<void> {
  const journal = storm.journals[client]
  if (journal === undefined) return
  while (!stop.aborted) {
    const connection = await readStream(urlOf(storm, client), journal, { signal: stop }).catch(() => null)
    if (connection?.end === 'clean' && connection.status <= 204) return
    storm.tries.failed += 1
    await delay(storm.options.comeBackMs, undefined, { signal: stop }).catch(() => undefined)
  }
}

/** Resolves with the times at which the journals had half of the given attempt's text, ascending. */
async function served({ journals }: Storm, attempt: number): Promise<readonly number[]> {
  const times = journals.map(async (journal) => {
    await journal.until(() => journal.text('talk', attempt) === half)
    return performance.now()
  })
  return (await Promise.all(times)).toSorted((a, b) => a - b)
}

/** Waits at most two seconds: so long may it take until nothing is left of those who have gone. */
async function streamsLeft(url: string): Promise<number> {
  const deadline = performance.now() + 2000
  let left = await openStreams(url)
  while (left > 0 && performance.now() < deadline) {
    await delay(50)
    left = await openStreams(url)
  }
  return left
}

async function faultsOf(storm: Storm): Promise<readonly string[]> {
  const faults = storm.journals.flatMap((journal, client) => {
    const isWhole = journal.kept()['talk'] === half + half && journal.lifecycle().at(-1)?.type === 'workflow.completed'
    return [...journal.faults(), ...(isWhole ? [] : ['it is not whole'])].map((fault) => `client ${client}: ${fault}`)
  })
  const workflows = await Promise.all(storm.ids.map(async (id) => `${id}: ${await statusOf(storm.url, id)}`))
  return [...faults, ...workflows.filter((line) => !line.endsWith('completed'))]
}

interface Site {
  readonly start: (port: string) => Promise<{ readonly service: ServiceProcess; readonly url: string }>
  /** Lets the models say the rest. */
  readonly release: () => void
}

async function strike(site: Site, options: StormOptions): Promise<StormOutcome> {
  const first = await site.start('0')
  await first.service.ready()
  const ids = await Promise.all(Array.from({ length: options.workflows }, () => startTalk(first.url)))
  const journals = Array.from({ length: options.clients }, createEventJournal)
  const storm: Storm = { options, journals, ids, url: first.url, tries: { failed: 0 } }
  const stop = new AbortController()
  const following = Promise.all(journals.map((_, client) => follow(storm, client, stop.signal)))
  try {
    await served(storm, 1)
    await first.service.kill()
    const again = await site.start(new URL(first.url).port)
    const since = performance.now()
    const ready = again.service.ready().then(() => performance.now() - since)
    const times = await served(storm, 2)
    const releasedAt = performance.now()
    site.release()
    await following
    return {
      firstServedMs: (times[0] ?? NaN) - since,
      lastServedMs: (times.at(-1) ?? NaN) - since,
      readyMs: await ready,
      lastEndedMs: performance.now() - releasedAt,
      failedTries: storm.tries.failed,
      faults: await faultsOf(storm),
      leftOpen: await streamsLeft(storm.url),
    }
  } finally {
    stop.abort()
  }
}

/** Kills a service that many clients follow, starts it again, and watches them all come back at once. */
export async function runStorm(options: StormOptions): Promise<StormOutcome> {
  await preparedForTests()
  const { path, remove } = await temporaryDirectory()
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  const before = (at: number) => (at < halfText.length ? undefined : released)
  const model = await startModelServer({ answer: () => ({ text: half + half, chunks, before }) })
  const processes: ServiceProcess[] = []
  const env = { OPENAI_API_BASE: model.url, MAX_CONCURRENT_AGENTS: String(options.workflows) }
  const start = async (port: string) => {
    const service = startServiceProcess({ directory: path, env: { ...env, PORT: port } })
    processes.push(service)
    return { service, url: await service.listening }
  }
  try {
    return await strike({ start, release }, options)
  } finally {
    await Promise.all(processes.map((service) => service.kill()))
    await model.close()
    await remove()
  }
}
