import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'

import type { HearPayload, NotifyConnection } from '../../src/storage/notify-connection.ts'
import { createNotifyHints } from '../../src/storage/notify-hints.ts'
import type { NotifyHints } from '../../src/storage/notify-hints.ts'
import { fromPayload, toPayloads } from '../../src/storage/notify-payload.ts'
import { testId } from '../support/database.ts'

describe('payloads', () => {
  const ids = fc.uniqueArray(fc.stringMatching(/^[^,\0]{1,40}$/u), { maxLength: 2000 })

  test('carry every id once, in order, in messages that Postgres takes', () => {
    fc.assert(
      fc.property(ids, (given) => {
        const payloads = toPayloads(given)
        for (const payload of payloads) {
          expect(Buffer.byteLength(payload)).toBeLessThanOrEqual(7000)
          expect(payload).not.toBe('')
        }
        expect(payloads.flatMap(fromPayload)).toEqual(given)
      }),
      { numRuns: 50 },
    )
  })

  test('are as few as their size allows', () => {
    const given = Array.from({ length: 1000 }, () => testId())
    expect(toPayloads(given)).toHaveLength(Math.ceil(1000 / Math.floor(7001 / 36)))
    expect(toPayloads([])).toEqual([])
  })

  test('leave out what none could carry', () => {
    expect(toPayloads(['', 'wf_1', 'a,b', 'a\0b', 'x'.repeat(7001), 'wf_2'])).toEqual(['wf_1,wf_2'])
  })

  test('may be anything', () => {
    expect(fromPayload('')).toEqual([])
    expect(fromPayload(',,wf_1,,wf_1,{"no": "id"}')).toEqual(['wf_1', '{"no": "id"}'])
  })
})

/** A connection that does what the test says. */
function createConnection() {
  const { promise: gone, resolve } = Promise.withResolvers<void>()
  const sent: { readonly payloads: readonly string[]; readonly answer: PromiseWithResolvers<void> }[] = []
  let closed = false
  const connection: NotifyConnection = {
    gone,
    send(payloads) {
      const answer = Promise.withResolvers<void>()
      sent.push({ payloads, answer })
      return answer.promise
    },
    async close() {
      closed = true
      resolve()
    },
  }
  return { connection, sent, lose: resolve, isClosed: () => closed }
}

type FakeConnection = ReturnType<typeof createConnection>

const opened: { hints: NotifyHints; connections: FakeConnection[] }[] = []

afterEach(async () => {
  for (const { hints, connections } of opened.splice(0)) {
    for (const { sent, lose } of connections) {
      lose()
      for (const { answer } of sent) answer.resolve()
    }
    await hints.close()
  }
})

function openHints(options: { readonly askEveryMs?: number; readonly away?: boolean } = {}) {
  const world = { away: options.away ?? false, tries: 0, connecting: 0, maxConnecting: 0 }
  const connections: FakeConnection[] = []
  const errors: unknown[] = []
  let hear: HearPayload = () => undefined
  const hints = createNotifyHints(
    {
      async connect(given) {
        world.tries += 1
        world.connecting += 1
        world.maxConnecting = Math.max(world.maxConnecting, world.connecting)
        await new Promise(setImmediate)
        world.connecting -= 1
        if (world.away) throw new Error('connection refused')
        hear = given
        const made = createConnection()
        connections.push(made)
        return made.connection
      },
      onError: (error) => void errors.push(error),
    },
    { firstWaitMs: 1, longestWaitMs: 4, askEveryMs: options.askEveryMs ?? 60_000 },
  )
  opened.push({ hints, connections })
  return { hints, world, connections, errors, say: (...ids: string[]) => hear(ids) }
}

describe('hints', () => {
  test('of one turn of the event loop go out together, each once', async () => {
    const { hints, connections } = openHints()
    await hints.start()
    expect(hints.listening()).toBe(true)
    for (const id of ['wf_1', 'wf_2', 'wf_1', 'wf_3']) hints.tell(id)
    expect(connections[0]?.sent).toEqual([])
    await expect.poll(() => connections[0]?.sent.map(({ payloads }) => payloads)).toEqual([['wf_1,wf_2,wf_3']])
  })

  test('collect while a statement is under way', async () => {
    const { hints, connections } = openHints()
    await hints.start()
    hints.tell('wf_1')
    await expect.poll(() => connections[0]?.sent.length).toBe(1)
    for (let n = 2; n < 500; n += 1) {
      hints.tell(`wf_${n}`)
      if (n % 50 === 0) await new Promise(setImmediate)
    }
    expect(connections[0]?.sent.length).toBe(1)
    connections[0]?.sent[0]?.answer.resolve()
    await expect.poll(() => connections[0]?.sent.length).toBe(2)
    expect(connections[0]?.sent[1]?.payloads.flatMap(fromPayload)).toHaveLength(498)
  })

  test('told before there is a connection go out with it', async () => {
    const { hints, world, connections, errors } = openHints({ away: true })
    await hints.start()
    expect(hints.listening()).toBe(false)
    hints.tell('wf_1')
    await expect.poll(() => world.tries).toBeGreaterThan(3)
    world.away = false
    await expect.poll(() => connections[0]?.sent.map(({ payloads }) => payloads)).toEqual([['wf_1']])
    expect(errors).toHaveLength(1)
  })

  test('come to all who listen, until they leave', async () => {
    const { hints, say } = openHints()
    const heard: string[] = []
    const leave = hints.listen((ids) => void heard.push(`a ${ids.join(' ')}`))
    hints.listen((ids) => void heard.push(`b ${ids.join(' ')}`))
    await hints.start()
    say('wf_1', 'wf_2')
    leave()
    say('wf_3')
    expect(heard).toEqual(['a wf_1 wf_2', 'b wf_1 wf_2', 'b wf_3'])
  })

  test('are sent to the last before closing', async () => {
    const { hints, connections } = openHints()
    await hints.start()
    hints.tell('wf_1')
    const closed = hints.close()
    await expect.poll(() => connections[0]?.sent.map(({ payloads }) => payloads)).toEqual([['wf_1']])
    expect(connections[0]?.isClosed()).toBe(false)
    connections[0]?.sent[0]?.answer.resolve()
    await closed
    expect([connections[0]?.isClosed(), hints.listening()]).toEqual([true, false])
  })
})

describe('a lost connection', () => {
  test('is known, told once, and made again by one try at a time', async () => {
    const { hints, world, connections, errors } = openHints()
    await hints.start()
    world.away = true
    connections[0]?.lose()
    connections[0]?.lose()
    await expect.poll(() => hints.listening()).toBe(false)
    await expect.poll(() => world.tries).toBeGreaterThan(5)
    expect([world.maxConnecting, errors.length]).toEqual([1, 1])
    expect(connections[0]?.isClosed()).toBe(true)
    world.away = false
    await expect.poll(() => hints.listening()).toBe(true)
    expect(connections).toHaveLength(2)
  })

  test('in the middle of a statement leaves its ids to the next one', async () => {
    const { hints, connections } = openHints()
    await hints.start()
    hints.tell('wf_1')
    await expect.poll(() => connections[0]?.sent.length).toBe(1)
    hints.tell('wf_2')
    connections[0]?.sent[0]?.answer.reject(new Error('Connection terminated unexpectedly'))
    await expect
      .poll(() => connections[1]?.sent.flatMap(({ payloads }) => payloads.flatMap(fromPayload)).toSorted())
      .toEqual(['wf_1', 'wf_2'])
    expect(connections[0]?.isClosed()).toBe(true)
  })

  test('is noticed although nothing says so', async () => {
    const { hints, connections } = openHints({ askEveryMs: 5 })
    await hints.start()
    await expect.poll(() => connections[0]?.sent.map(({ payloads }) => payloads)).toEqual([[]])
    connections[0]?.sent[0]?.answer.reject(new Error('Query read timeout'))
    await expect.poll(() => connections.length).toBe(2)
  })
})

test('closing before, while and after connecting leaves nothing open', async () => {
  const before = openHints()
  await before.hints.close()
  await before.hints.start()
  expect(before.world.tries).toBe(0)

  const meanwhile = openHints({ away: true })
  void meanwhile.hints.start()
  await meanwhile.hints.close()
  expect(meanwhile.world.connecting).toBe(0)
  const { tries } = meanwhile.world
  await new Promise(setImmediate)
  expect(meanwhile.world.tries).toBe(tries)
})
