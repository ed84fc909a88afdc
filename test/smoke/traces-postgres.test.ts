import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { startMany } from '../contract/engine-processes.ts'
import { postgresForTests } from '../contract/postgres-server.ts'
import { startFakeCollector } from '../support/fake-collector.ts'
import type { FakeCollector, SentSpan } from '../support/fake-collector.ts'
import { openCluster } from '../support/process-cluster.ts'
import type { ProcessCluster, ProcessReplica } from '../support/process-cluster.ts'
import { customStep } from './smoke-test.ts'

const server = await postgresForTests()

afterAll(async () => {
  await server?.stop()
})

const replicaOf = ({ resource }: SentSpan) => resource['service.instance.id']
const stepOf = ({ attributes }: SentSpan) => [attributes['workflow.step'], attributes['error.type'] ?? null]

describe.skipIf(!server)('two replicas, one trace', { timeout: 60_000 }, () => {
  let cluster: ProcessCluster
  let collector: FakeCollector

  beforeEach(async () => {
    cluster = await openCluster((await server?.createDatabase()) ?? '')
    collector = await startFakeCollector()
    return async () => {
      await cluster.close()
      await collector.close()
    }
  })

  const start = (): Promise<ProcessReplica> =>
    cluster.start({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_BSP_SCHEDULE_DELAY: '50',
      SHUTDOWN_GRACE_SECONDS: '0',
    })
  const ended = (id: string) =>
    collector.sent(
      ({ name, attributes }) => name === 'invoke_workflow custom' && attributes['gen_ai.conversation.id'] === id,
    )
  /** The first call of each workflow's second step says nothing. */
  const holdSecond = () => {
    const stands = new Promise<void>(() => undefined)
    let held = false
    cluster.model.answerWith(({ user }) => {
      const holds = !held && user.includes('<held>')
      held ||= holds
      return holds ? { text: 'A text.', before: () => stands } : 'A text.'
    })
  }
  const attemptsOf = (workflow: SentSpan) =>
    collector.spans.filter(
      ({ parentSpanId, traceId }) => parentSpanId === workflow.spanId && traceId === workflow.traceId,
    )

  it('when it is handed over', async () => {
    holdSecond()
    const leaving = await start()
    const [id = ''] = await startMany(leaving, 1, [customStep('one'), customStep('held', ['one'])])
    await cluster.model.called(2)
    const staying = await start()
    leaving.signal('SIGTERM')
    await leaving.ended
    const workflow = await ended(id)
    const attempts = attemptsOf(workflow)
    expect(attempts.map(stepOf)).toEqual([
      ['one', null],
      ['held', 'shutdown'],
      ['held', null],
    ])
    const [first, second, third] = attempts.map(replicaOf)
    expect(second).toBe(first)
    expect(third).not.toBe(first)
    expect(replicaOf(workflow)).toBe(third)
    const request = collector.spans.find(({ spanId }) => spanId === workflow.parentSpanId)
    expect(request).toMatchObject({ name: 'POST /workflows', traceId: workflow.traceId })
    expect(staying.log().filter(({ level }) => level === 'ERROR')).toEqual([])
  })

  it('when it is cancelled at the other', async () => {
    holdSecond()
    const running = await start()
    const [id = ''] = await startMany(running, 1, [customStep('one'), customStep('held', ['one'])])
    await cluster.model.called(2)
    const other = await start()
    await fetch(`${other.url}/workflows/${id}/cancel`, { method: 'POST' })
    const workflow = await ended(id)
    expect(workflow.attributes['workflow.status']).toBe('cancelled')
    const cut = await collector.sent(
      ({ name, attributes }) => name.startsWith('chat') && attributes['error.type'] === 'aborted',
    )
    const attempts = attemptsOf(workflow)
    expect(attempts.map(({ attributes }) => attributes['workflow.step'])).toEqual(['one', 'held'])
    expect(replicaOf(workflow)).not.toBe(replicaOf(cut))
    expect(cut).toMatchObject({ traceId: workflow.traceId, parentSpanId: attempts[1]?.spanId })
  })
})
