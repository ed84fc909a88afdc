import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import { afterAll, describe, expect, it } from 'vitest'
import { customStep } from '../smoke/smoke-test.ts'
import type { ModelServerDouble } from '../support/fault-server.ts'
import { createLatch } from '../support/scripted-steps.ts'
import type { Latch } from '../support/scripted-steps.ts'
import { lossesIn, readAtOther, readWorkflow, startMany } from './engine-processes.ts'
import { openCluster } from '../support/process-cluster.ts'
import type { ProcessCluster, ProcessReplica } from '../support/process-cluster.ts'
import { postgresForTests } from './postgres-server.ts'

/** Longer than a heartbeat lasts. */
const outageMs = Number(process.env['OUTAGE_SECONDS'] ?? 12) * 1000
const freezeMs = 6000
const frozenReplicaMs = 12_000
const takenWithinMs = 15_000

const [server, quiet] = await Promise.all([postgresForTests(), postgresForTests()])

afterAll(async () => {
  await Promise.all([server?.stop(), quiet?.stop()])
})

const steps = [customStep('one'), customStep('two', ['one'])]

/** The first `held` calls say half of their answer, and the rest when the latch is open. */
function holdFirst(model: ModelServerDouble, held: number): Latch {
  const latch = createLatch()
  model.answerWith(({ index }) => {
    const chunks = [`Call ${index}: `, 'first half 😀, ', 'second half.']
    const before = (at: number) => (index < held && at === 2 ? latch.opened : undefined)
    return { text: chunks.join(''), chunks, before }
  })
  return latch
}

async function queryOnce<Row>(url: string, text: string): Promise<readonly Row[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text)).rows as Row[]
  } finally {
    await client.end()
  }
}

const countJobs = `SELECT count(*) FILTER (WHERE state < 'completed')::integer AS live, coalesce(max(retry_count), 0) AS retries
  FROM pgboss.job WHERE name = 'activation'`

async function jobsOf(url: string) {
  return (await queryOnce<{ live: number; retries: number }>(url, countJobs))[0]
}

/** Everything is stored as it was said, and the replica has nothing to be ashamed of. */
async function expectEnded(replica: ProcessReplica, ids: readonly string[], losses: readonly string[]): Promise<void> {
  for (const id of ids) {
    expect(lossesIn(await readAtOther(replica, id))).toEqual(losses)
    const { status, steps: ended } = await readWorkflow(replica, id)
    expect([status, ...ended.map(({ output }) => output?.endsWith('second half.'))]).toEqual(['completed', true, true])
  }
}

function errorsOf(replica: ProcessReplica) {
  return replica.log().filter(({ level }) => level === 'ERROR' || level === 'CRITICAL')
}

async function tryDeathAndFreeze(cluster: ProcessCluster, url: string): Promise<void> {
  const { model } = cluster
  const latch = holdFirst(model, 4)
  // Who is full takes no more, so that each has its own.
  const doomed = await cluster.start({ MAX_CONCURRENT_WORKFLOWS: '2' })
  const ofDoomed = await startMany(doomed, 2, steps)
  await model.called(2)
  const frozen = await cluster.start()
  const ofFrozen = await startMany(frozen, 2, steps)
  await model.called(4)
  const survivor = await cluster.start()

  const since = performance.now()
  const away = delay(frozenReplicaMs)
  frozen.signal('SIGSTOP')
  await doomed.kill()
  await model.called(8)
  expect(performance.now() - since).toBeLessThan(takenWithinMs)
  await expectEnded(survivor, [...ofDoomed, ...ofFrozen], ['one@1 worker_lost'])
  const seqs = 'SELECT id, seq FROM agents.workflows ORDER BY id'
  const stored = await queryOnce(url, seqs)
  expect(model.calls).toHaveLength(12)

  await away
  const calls = model.calls.slice(2, 4)
  expect(calls.map(({ running }) => running)).toEqual([true, true])
  frozen.signal('SIGCONT')
  await Promise.all(calls.map(({ ended }) => ended))
  expect(calls.map(({ aborted }) => aborted)).toEqual([true, true])
  latch.open()
  expect(await queryOnce(url, seqs)).toEqual(stored)
  // It is as good as any other.
  await survivor.kill()
  await expectEnded(frozen, await startMany(frozen, 2, steps), [])
  expect(await queryOnce(url, `${seqs} LIMIT 4`)).toEqual(stored)
  expect((await jobsOf(url))?.live).toBe(0)
  expect([...errorsOf(frozen), ...errorsOf(survivor)]).toEqual([])
}

/** Steps end while the database is away; afterwards everybody commits what he has, and nobody takes anything. */
async function tryOutage({ cluster, url, replicas }: Outage, outage: () => Promise<void>): Promise<void> {
  const [one, other] = replicas
  await Promise.all([one.ready(), other.ready()])
  const { model } = cluster
  const before = model.calls.length
  const latch = holdFirst(model, before + 4)
  const ids = [...(await startMany(one, 2, steps)), ...(await startMany(other, 2, steps))]
  await model.called(before + 4)
  const over = outage()
  latch.open()
  await Promise.all(model.calls.slice(before, before + 4).map(({ ended }) => ended))
  await over
  await expectEnded(one, ids, [])
  expect(model.calls).toHaveLength(before + 8)
  expect(await jobsOf(url)).toEqual({ live: 0, retries: 0 })
  expect(replicas.flatMap(errorsOf)).toEqual([])
}

interface Outage {
  readonly cluster: ProcessCluster
  readonly url: string
  readonly replicas: readonly [ProcessReplica, ProcessReplica]
}

async function freezeDatabase(): Promise<void> {
  await server?.power?.freeze()
  await delay(freezeMs)
  server?.power?.thaw()
}

async function stopDatabase(): Promise<void> {
  await server?.power?.off()
  await delay(outageMs)
  await server?.power?.on()
}

async function withCluster(
  url: string | undefined,
  work: (cluster: ProcessCluster, url: string) => Promise<void>,
): Promise<void> {
  if (url === undefined) throw new Error('there is no Postgres')
  const cluster = await openCluster(url)
  try {
    await work(cluster, url)
  } finally {
    await cluster.close()
  }
}

// Most of their time they wait; each has a Postgres of its own.
describe.skipIf(!server?.power).concurrent('replicas on Postgres', { timeout: 120_000 }, () => {
  it('lose their workflows to a third one when one is killed and one freezes', async () => {
    await withCluster(await quiet?.createDatabase(), tryDeathAndFreeze)
  })

  it(`lose no workflow, attempt or text when it freezes for ${freezeMs / 1000} s, then stops for ${outageMs / 1000} s`, async () => {
    await withCluster(await server?.createDatabase(), async (cluster, url) => {
      const replicas = [await cluster.start(), await cluster.start()] as const
      await tryOutage({ cluster, url, replicas }, freezeDatabase)
      await tryOutage({ cluster, url, replicas }, stopDatabase)
    })
  })
})
