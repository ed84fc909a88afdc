import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import type { ModelServerDouble } from '../support/fault-server.ts'
import { readStream, readToEnd } from './event-connection.ts'
import type { LogLine, ServiceProcess } from '../support/service-process.ts'
import { createEventJournal } from './event-journal.ts'
import { customStep, getJson, postWorkflow, taskOf, test } from './smoke-test.ts'
import type { ReadyService, SeenWorkflow, Site } from './smoke-test.ts'

const run = {
  type: 'custom',
  requirement: 'Go on after a stop.',
  steps: [customStep('one'), customStep('two', ['one'])],
}

/** Says half of each answer; the rest only after `finish`. */
function holdHalf(model: ModelServerDouble) {
  const { promise: finished, resolve: finish } = Promise.withResolvers<void>()
  model.answerWith(({ index, user }) => {
    const chunks = [
      `Call ${index}: `,
      'first half 😀, ',
      'second half.',
      user.includes(taskOf('one')) ? ' One.' : ' Two.',
    ]
    return { text: chunks.join(''), chunks, before: (at) => (at < 2 ? undefined : finished) }
  })
  return finish
}

/** A run with its first step half said, and a reader who has seen that. */
async function startHalf(site: Site) {
  const { id } = await postWorkflow(site.url(), run)
  const journal = createEventJournal()
  const first = readStream(`${site.url()}/workflows/${id}/events`, journal)
  await journal.until(() => journal.text('one', 1).endsWith('😀, '))
  return { id, journal, first }
}

async function expectDraining({ url }: ReadyService): Promise<void> {
  const statusOf = async (path: string) => {
    const answer = await fetch(url + path)
    await answer.body?.cancel()
    return answer.status
  }
  expect([await statusOf('/readyz'), await statusOf('/livez')]).toEqual([503, 200])
  const refused = await fetch(`${url}/workflows`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(run),
  })
  expect(refused.headers.has('retry-after')).toBe(true)
  expect(await refused.json()).toMatchObject({ status: 503, type: '/problems/draining' })
}

async function readCompleted(site: Site, id: string): Promise<SeenWorkflow> {
  const workflow = await getJson<SeenWorkflow>(`${site.url()}/workflows/${id}`)
  expect(workflow.status).toBe('completed')
  return workflow
}

/** Takes connections and never says a word. */
async function startSilentServer() {
  const sockets: Socket[] = []
  const server: Server = createServer((socket) => void sockets.push(socket.on('error', () => undefined)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    connected: once(server, 'connection'),
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

/** What the process itself held to be worth an error. */
function errorsOf(service: ServiceProcess): readonly LogLine[] {
  return service.log().filter(({ level }) => level === 'ERROR' || level === 'CRITICAL')
}

describe('SIGTERM', { timeout: 60_000 }, () => {
  test('hands over what does not end in time; the next process goes on', async ({ site, model }) => {
    const finish = holdHalf(model)
    const service = await site.start({ SHUTDOWN_GRACE_SECONDS: '1' })
    const { id, journal, first } = await startHalf(site)

    service.signal('SIGTERM')
    await service.logged(/shutting down/)
    await expectDraining(service)
    const broken = await first
    expect(broken).toMatchObject({ status: 200, end: 'broken' })
    expect(broken.tail).toMatch(/\n\nretry: 2000\n\n$/)
    expect((await service.ended).code).toBe(0)
    await service.logged(/^Shutdown complete$/)
    expect(errorsOf(service)).toEqual([])
    expect(model.calls[0]?.aborted).toBe(true)

    finish()
    const next = await site.start({ METRICS_SNAPSHOT_FILE: 'metrics.json' })
    await readToEnd(() => `${site.url()}/workflows/${id}/events`, journal)
    expect(journal.faults()).toEqual([])
    const handedOver = journal.lifecycle().filter(({ type }) => type === 'step.retrying')
    expect(handedOver).toMatchObject([{ step: 'one', attempt: 1, error: { code: 'shutdown' } }])
    const { steps } = await readCompleted(site, id)
    expect(journal.kept()).toEqual(Object.fromEntries(steps.map((step) => [step.id, step.output])))
    expect(model.calls).toHaveLength(3)

    next.signal('SIGTERM')
    expect((await next.ended).code).toBe(0)
    expect(errorsOf(next)).toEqual([])
    expect(JSON.parse(await readFile(join(site.directory, 'metrics.json'), 'utf8'))).toHaveProperty('counters')
  })

  test('before the database is open ends the process as politely', async ({ site }) => {
    const service = site.spawn()
    await service.listening
    service.signal('SIGTERM')
    expect(await service.ended).toMatchObject({ code: 0 })
    expect(errorsOf(service)).toEqual([])
  })

  test('while a Postgres does not answer ends the process as politely', async ({ site, onTestFinished }) => {
    const silent = await startSilentServer()
    onTestFinished(() => silent.close())
    const service = site.spawn({ env: { DATABASE_URL: `postgres://nobody@127.0.0.1:${silent.port}/nothing` } })
    await service.listening
    await silent.connected
    service.signal('SIGTERM')
    expect(await service.ended).toMatchObject({ code: 0 })
    expect(service.log().filter(({ level }) => level === 'CRITICAL')).toEqual([])
  })
})

describe('SIGINT', { timeout: 60_000 }, () => {
  test('lets a step finish within the grace and starts no other; a second signal ends at once', async ({
    site,
    model,
  }) => {
    const finish = holdHalf(model)
    const service = await site.start({ SHUTDOWN_GRACE_SECONDS: '20' })
    const { id, journal, first } = await startHalf(site)
    service.signal('SIGINT')
    await service.logged(/shutting down/)
    await expectDraining(service)
    finish()
    expect(await first).toMatchObject({ end: 'broken' })
    expect((await service.ended).code).toBe(0)
    expect(model.calls).toHaveLength(1)

    const next = await site.start({ SHUTDOWN_GRACE_SECONDS: '600' })
    await readToEnd(() => `${site.url()}/workflows/${id}/events`, journal)
    expect(journal.faults()).toEqual([])
    expect(journal.lifecycle().some(({ type }) => type === 'step.retrying')).toBe(false)
    await readCompleted(site, id)
    expect(model.calls).toHaveLength(2)

    holdHalf(model)
    const another = await startHalf(site)
    next.signal('SIGINT')
    await next.logged(/shutting down/)
    next.signal('SIGINT')
    expect((await next.ended).code).toBe(1)
    expect((await another.first).end).toBe('broken')
  })
})
