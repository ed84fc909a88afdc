import { afterAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { lossesIn, readAtOther, readWorkflow, startMany } from '../contract/engine-processes.ts'
import { openCluster } from '../support/process-cluster.ts'
import type { ProcessCluster, ProcessReplica } from '../support/process-cluster.ts'
import { postgresForTests } from '../contract/postgres-server.ts'
import type { ModelServerDouble } from '../support/fault-server.ts'
import { createLatch } from '../support/scripted-steps.ts'
import { customStep, taskOf } from './smoke-test.ts'

const server = await postgresForTests()
const gatedStep = { ...customStep('draft'), approval: true }
const heldSteps = [customStep('held'), customStep('last', ['held'])]

afterAll(async () => {
  await server?.stop()
})

/** The first call of the held step says nothing until the test has ended. */
function holdOnce(model: ModelServerDouble): void {
  const latch = createLatch()
  onTestFinished(() => latch.open())
  let held = false
  model.answerWith(({ user }) => {
    const isHeld = !held && user.includes(taskOf('held'))
    held ||= isHeld
    return { text: 'A text.', ...(isHeld ? { before: () => latch.opened } : {}) }
  })
}

async function approve({ url }: ProcessReplica, id: string): Promise<number> {
  const answer = await fetch(`${url}/workflows/${id}/steps/draft/approve`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  })
  await answer.body?.cancel()
  return answer.status
}

async function startWaiting(replica: ProcessReplica): Promise<string> {
  const [id = ''] = await startMany(replica, 1, [gatedStep, customStep('after', ['draft'])])
  await expect.poll(async () => (await readWorkflow(replica, id)).status, { timeout: 10_000 }).toBe('waiting')
  return id
}

function errorsOf(replica: ProcessReplica) {
  return replica.log().filter(({ level }) => level === 'ERROR' || level === 'CRITICAL')
}

describe.skipIf(!server)('a signal, on Postgres,', { timeout: 60_000 }, () => {
  let cluster: ProcessCluster

  beforeEach(async () => {
    const opened = await openCluster((await server?.createDatabase()) ?? '')
    cluster = opened
    holdOnce(opened.model)
    return () => opened.close()
  })

  it.each(['SIGTERM', 'SIGINT'] as const)(
    '%s during a step and an open approval: both go on at the other replica within seconds',
    async (signal) => {
      const leaving = await cluster.start({ SHUTDOWN_GRACE_SECONDS: '0' })
      const [running = ''] = await startMany(leaving, 1, heldSteps)
      const waiting = await startWaiting(leaving)
      expect(cluster.model.calls.map(({ user }) => user.includes(taskOf('held')))).toContain(true)
      const staying = await cluster.start()
      const since = performance.now()
      leaving.signal(signal)
      const journal = await readAtOther(staying, running)
      expect(performance.now() - since).toBeLessThan(8000)
      expect(lossesIn(journal)).toEqual(['held@1 shutdown'])
      expect(journal.lifecycle().at(-1)?.type).toBe('workflow.completed')
      expect((await leaving.ended).code).toBe(0)
      expect(await approve(staying, waiting)).toBe(202)
      expect((await readAtOther(staying, waiting)).lifecycle().at(-1)?.type).toBe('workflow.completed')
      expect(cluster.model.calls).toHaveLength(5)
      expect([...errorsOf(leaving), ...errorsOf(staying)]).toEqual([])
    },
  )

  it('that comes twice ends the process at once the second time', async () => {
    const service = await cluster.start({ SHUTDOWN_GRACE_SECONDS: '600' })
    await startMany(service, 1, heldSteps)
    await cluster.model.called(1)
    service.signal('SIGTERM')
    await service.logged(/shutting down/)
    const since = performance.now()
    service.signal('SIGTERM')
    expect((await service.ended).code).toBe(1)
    expect(performance.now() - since).toBeLessThan(2000)
  })

  it.skipIf(!server?.power)(
    'while Postgres is stopped ends it within the grace and ten seconds, with code 0',
    async () => {
      const service = await cluster.start({ SHUTDOWN_GRACE_SECONDS: '1' })
      await startMany(service, 1, heldSteps)
      const waiting = await startWaiting(service)
      await server?.power?.off()
      try {
        const since = performance.now()
        service.signal('SIGTERM')
        expect((await service.ended).code).toBe(0)
        expect(performance.now() - since).toBeLessThan(11_000)
        expect(service.log().filter(({ level }) => level === 'CRITICAL')).toEqual([])
      } finally {
        await server?.power?.on()
      }
      const next = await cluster.start()
      expect((await readWorkflow(next, waiting)).status).toBe('waiting')
      expect(await approve(next, waiting)).toBe(202)
      await readAtOther(next, waiting)
    },
  )
})
