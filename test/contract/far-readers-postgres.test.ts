import { afterAll, afterEach, describe, expect, test } from 'vitest'

import { customSteps } from '../support/engine-fixture.ts'
import { answerSteps, createLatch, heldAnswer, workOf } from '../support/scripted-steps.ts'
import { postgresForTests } from './postgres-server.ts'
import { openReplicaBenches } from './replica-benches.ts'
import type { ReplicaBenches } from './replica-benches.ts'

const server = await postgresForTests()
const opened: ReplicaBenches[] = []

afterEach(async () => {
  for (const replicas of opened.splice(0)) await replicas.close()
})
afterAll(async () => {
  await server?.stop()
})

async function openReplicas(): Promise<ReplicaBenches> {
  const replicas = await openReplicaBenches((await server?.createDatabase()) ?? '')
  opened.push(replicas)
  return replicas
}

describe.skipIf(!server)('a reader on a replica that does not run the step', () => {
  test('sees its text while it grows', async () => {
    const replicas = await openReplicas()
    const latch = createLatch()
    replicas.model.answerWith(answerSteps({ a: [heldAnswer('a', latch)] }))
    const runner = await replicas.open()
    const other = await replicas.openIdle()
    const id = await runner.bench.start(customSteps('a'))
    const events = await other.bench.follow(id)
    await events.until('step.delta')
    expect(events.of('step.completed')).toEqual([])
    latch.open()
    await events.toEnd()
    expect(events.joined('a', 1)).toBe(workOf('a'))
    expect([...runner.bench.defects, ...other.bench.defects]).toEqual([])
  })
})
