import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'
import { describe, expect, vi } from 'vitest'
import { test as base, customStep, getJson, postWorkflow } from './smoke-test.ts'
import type { SeenWorkflow } from './smoke-test.ts'

const secret = `whsec_${Buffer.alloc(32, 5).toString('base64')}`
const own = `whsec_${Buffer.alloc(32, 6).toString('base64')}`
const events = ['workflow.queued', 'workflow.started', 'step.completed', 'workflow.completed']
const waitMs = 25_000

interface Told {
  readonly id: string
  readonly path: string
  readonly message: { readonly type: string; readonly data: { readonly workflow_id: string; readonly seq: number } }
}

interface Log {
  readonly data: readonly { readonly id: string; readonly status: string; readonly attempts: readonly unknown[] }[]
}

/** A receiver that takes what is signed rightly; under `/hangs` it never answers. */
async function startReceiver() {
  const told: Told[] = []
  const refused: unknown[] = []
  const state = { hung: 0, up: true }
  const server = createServer((request, response) => {
    if (!state.up) return void request.socket.destroy()
    if (request.url === '/hangs') return void (state.hung += 1)
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    return void request.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      const headers = request.headers as Record<string, string>
      const key = request.url === '/own' ? own : secret
      try {
        const message = new Webhook(key).verify(body, headers) as Told['message']
        told.push({ id: headers['webhook-id'] ?? '', path: request.url ?? '', message })
        response.writeHead(204).end()
      } catch (error) {
        refused.push(error)
        response.writeHead(401).end()
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    told,
    refused,
    state,
    url: `http://127.0.0.1:${port}`,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const test = base.extend<{ receiver: Awaited<ReturnType<typeof startReceiver>> }>({
  receiver: async ({}, use) => {
    const receiver = await startReceiver()
    await use(receiver)
    await receiver.close()
  },
})

const body = { type: 'custom', requirement: 'Tell it.', steps: [customStep('first')] }

describe('webhooks', () => {
  test('are told of a run, signed, in order, while another one hangs; the process may die', async ({
    site,
    receiver,
  }) => {
    const env = {
      WEBHOOKS_ENABLED: 'true',
      WEBHOOKS_SECRET: secret,
      WEBHOOKS_ALLOWED_HOSTS: `127.0.0.1:${receiver.port}`,
    }
    const first = await site.start(env)
    const start = (path: string, more: object = {}) =>
      postWorkflow(site.url(), { ...body, webhook: { url: `${receiver.url}${path}`, events, ...more } })
    const log = async ({ id }: SeenWorkflow) => (await getJson<Log>(`${site.url()}/workflows/${id}/webhooks`)).data
    const statuses = async (of: SeenWorkflow) => (await log(of)).map(({ status }) => status)
    const all = Array<string>(4).fill('delivered')

    const hanging = await start('/hangs')
    const [plain, signed] = [await start('/plain'), await start('/own', { secret: own })]
    expect(JSON.stringify([plain, signed])).not.toContain('whsec_')
    for (const each of [plain, signed]) await vi.waitFor(async () => expect(await statuses(each)).toEqual(all), waitMs)
    expect(receiver.refused).toEqual([])
    for (const { id } of [plain, signed]) {
      const told = receiver.told.filter(({ message }) => message.data.workflow_id === id)
      expect(told.map(({ message }) => message.type)).toEqual(events)
      expect(new Set(told.map((each) => each.id)).size).toBe(4)
      expect(await getJson(`${site.url()}/workflows/${id}`)).toMatchObject({ status: 'completed' })
    }
    await vi.waitFor(async () => {
      expect(await getJson(`${site.url()}/workflows/${hanging.id}`)).toMatchObject({ status: 'completed' })
    }, waitMs)
    expect(receiver.state.hung).toBe(1)
    expect(await statuses(hanging)).toEqual(Array<string>(4).fill('pending'))

    receiver.state.up = false
    const late = await start('/plain')
    await vi.waitFor(async () => expect((await log(late))[0]?.attempts).toHaveLength(1), waitMs)
    await first.kill()
    receiver.state.up = true
    const second = await site.start(env)
    await vi.waitFor(async () => expect(await statuses(late)).toEqual(all), waitMs)
    const told = receiver.told.filter(({ message }) => message.data.workflow_id === late.id)
    expect(told.map(({ message }) => message.type)).toEqual(events)

    const lines = JSON.stringify([first.log(), second.log()])
    expect(lines).toContain('Webhook not delivered, it is tried again')
    expect(lines).not.toMatch(/whsec_|\/hangs|\/plain|\/own/)
    const metrics = await (await fetch(`${site.url()}/metrics`)).text()
    expect(metrics).toMatch(/webhook_deliveries_total\{outcome="delivered"\} [1-9]/)
    second.signal('SIGTERM')
    expect(await second.ended).toEqual({ code: 0, signal: null })
  }, 120_000)
})
