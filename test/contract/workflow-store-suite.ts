import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import type { Storage } from '../../src/storage/create-storage.ts'
import type { ListFilter } from '../../src/workflows/store.ts'
import { noUsage } from '../../src/workflows/workflow.ts'
import type { WorkflowState } from '../../src/workflows/workflow.ts'
import { testId } from '../support/database.ts'
import { artifact, call, change, event, firstClaim, moment, newWorkflow, state, step } from './fixtures.ts'

const everything: ListFilter = {
  statuses: [],
  type: null,
  createdAfter: null,
  createdBefore: null,
  metadata: {},
  limit: 100,
  after: null,
  kind: 'workflow',
  role: null,
}

const usage = {
  inputTokens: 10,
  outputTokens: 20,
  cachedTokens: 3,
  reasoningTokens: 4,
  costUsd: 0.25,
  estimated: false,
}

/** What every database behind the ports of `workflows` has to do. */
export function describeWorkflowStore(name: string, open: () => Promise<Storage>): void {
  describe(`workflow store on ${name}`, () => {
    let storage: Storage

    beforeAll(async () => {
      storage = await open()
    }, 60_000)

    afterAll(async () => {
      await storage?.close()
    })

    const load = async (id: string): Promise<WorkflowState> => {
      const loaded = await storage.store.load(id)
      if (!loaded) throw new Error(`${id} is not there`)
      return loaded
    }

    const created = async (changes: Partial<WorkflowState> = {}): Promise<WorkflowState> => {
      const workflow = newWorkflow(changes)
      await storage.store.create(workflow)
      return workflow.state
    }

    const claimed = async (changes: Partial<WorkflowState> = {}): Promise<WorkflowState> => {
      const before = await created(changes)
      const take = change(
        before,
        { status: 'running', claim: firstClaim },
        { guard: { kind: 'take', claim: firstClaim } },
      )
      expect(await storage.store.commit(take)).toBe(true)
      return take.state
    }

    const liveJobs = async (): Promise<Set<string>> => {
      const ids = new Set<string>()
      for (;;) {
        const jobs = await storage.queue.fetch(100)
        if (jobs.length === 0) return ids
        for (const job of jobs) {
          ids.add(job.id)
          await storage.queue.completeFenced(job)
        }
      }
    }

    describe('create and load', () => {
      it('gives back every field of state and input', async () => {
        const full = newWorkflow({
          status: 'failed',
          reason: 'step_failed',
          error: { code: 'llm_timeout', message: 'm', retryable: true, attempts: 4, endpoint: 'e', status: 504 },
          priority: -7,
          options: { model: 'big', temperature: 0.25, maxTokens: 9, stream: false, timeoutMs: 1500 },
          traceparent: '00-1-2-01',
          claim: { activation: 1, retry: 3 },
          startedAt: moment + 1,
          endedAt: moment + 2,
          updatedAt: moment + 3,
          runningMs: 1.5,
          runningSince: moment + 4,
          steps: [
            step(0),
            step(1, {
              definition: {
                id: 'second',
                role: 'qa_engineer',
                taskType: 'test_plan',
                instruction: 'Do “it”\r\n\t👩‍🚀',
                dependsOn: ['step-0'],
                onFailure: 'continue',
                context: { z: 1, a: [null, { deep: true }] },
                options: { model: 'small' },
              },
              status: 'incomplete',
              attempt: 3,
              keptAttempt: 2,
              startedAt: moment,
              endedAt: moment + 5,
              endedSeq: 9,
              runningMs: 12.25,
              runningSince: moment + 6,
              endpoint: 'default',
              model: 'm-1',
              finishReason: 'length',
              truncatedInput: true,
              artifacts: ['src/a.ts', 'b'],
              rejectedArtifacts: [{ path: '../x', reason: 'leaves' }],
              reason: 'dependency_failed',
              dependency: 'step-0',
              error: { code: 'output_limit', message: 'x', retryable: true },
              triesUsed: 2,
              timeUsedMs: 33.5,
              restarts: 1,
              losses: 5,
              notBefore: moment + 7,
              carriedText: 'carried ✂️',
              carriedContinuations: 2,
            }),
          ],
        })
        const input = {
          requirement: 'Ünïcode 🦄 \r\n data: x',
          context: { z: { y: 1 }, a: '' },
          files: [{ path: 'src/app.py', content: 'print("é")\n' }],
          metadata: { ticket: 'ABC-1' },
          options: { timeout_seconds: 60 },
        }
        await storage.store.create({ ...full, input })
        const { id } = full.state
        expect(await storage.store.load(id)).toEqual(full.state)
        expect(await storage.store.input(id)).toEqual(input)
        const { files: _files, ...rest } = input
        expect(await storage.store.record(id)).toEqual({ state: full.state, input: rest, outputs: new Map() })
        expect(Object.keys((await storage.store.input(id))?.context ?? {})).toEqual(['z', 'a'])
      })

      it('sends the job together with the workflow', async () => {
        await liveJobs()
        const { id, jobId } = await created({ priority: 4 })
        const [job] = await storage.queue.fetch(10)
        expect(job).toMatchObject({ id: jobId, workflowId: id, activation: 1, retry: 0, priority: 4 })
        expect(await storage.store.strandedIds()).not.toContain(id)
      })

      it('stores nothing, job included, when the id is taken', async () => {
        await liveJobs()
        const first = await created()
        const again = newWorkflow({ id: first.id })
        await expect(storage.store.create(again)).rejects.toMatchObject({ code: 'internal' })
        expect(await liveJobs()).toEqual(new Set([first.jobId]))
        expect(await load(first.id)).toEqual(first)
      })

      it('has nothing for an id that is not there', async () => {
        const { store } = storage
        expect(await store.load('wf_none')).toBeNull()
        expect(await store.record('wf_none')).toBeNull()
        expect(await store.input('wf_none')).toBeNull()
        expect(await store.eventsAfter('wf_none', 0, 10)).toBeNull()
        expect(await store.artifact('wf_none', 'a', null)).toBeNull()
        expect(await store.output('wf_none', 0, 1)).toBeNull()
      })
    })

    describe('commit', () => {
      it('writes state, changed steps and events, and leaves other steps alone', async () => {
        const before = await created()
        const changed = change(
          before,
          { status: 'cancelled', reason: 'cancelled_by_client', endedAt: moment + 9, updatedAt: moment + 9 },
          {
            changedSteps: [1],
            events: [event(2, 'step.cancelled', { step: 'step-1', attempt: 0, data: { b: 1, a: 2 } })],
          },
        )
        const steps = [step(0, { status: 'failed' }), step(1, { ...before.steps[1], status: 'cancelled' })]
        expect(await storage.store.commit({ ...changed, state: { ...changed.state, steps } })).toBe(true)
        const after = await load(before.id)
        expect(after).toEqual({ ...changed.state, steps: [before.steps[0], steps[1]] })
        expect((await storage.store.eventsAfter(before.id, 1, 10))?.events).toEqual(changed.events)
      })

      it('is refused when somebody else has used the number', async () => {
        const before = await created()
        expect(await storage.store.commit(change(before, { status: 'running' }))).toBe(true)
        expect(await storage.store.commit(change(before, { status: 'failed' }))).toBe(false)
        expect((await load(before.id)).status).toBe('running')
        expect((await storage.store.eventsAfter(before.id, 0, 10))?.events).toHaveLength(2)
      })

      it('is refused for a workflow that is gone', async () => {
        expect(await storage.store.commit(change(state(), {}))).toBe(false)
      })

      it('takes the claim only of the current activation of an active workflow, and only with a newer one', async () => {
        const before = await created()
        const take = (seen: WorkflowState, activation: number, retry: number): Promise<boolean> => {
          const claim = { activation, retry }
          return storage.store.commit(change(seen, { claim }, { guard: { kind: 'take', claim }, events: [] }))
        }
        expect(await take(before, 2, 0)).toBe(false)
        expect(await take(before, 0, 9)).toBe(false)
        expect(await take(before, 1, 1)).toBe(true)
        expect((await load(before.id)).claim).toEqual({ activation: 1, retry: 1 })
        expect(await take(before, 1, 1)).toBe(false)
        expect(await take(before, 1, 0)).toBe(false)
        expect(await take(before, 1, 2)).toBe(true)
        const idle = change(await load(before.id), { active: false })
        expect(await storage.store.commit(idle)).toBe(true)
        expect(await take(idle.state, 1, 3)).toBe(false)
      })

      it('lets only the holder of the claim write as the runner, and only while it is active', async () => {
        const before = await claimed()
        const write = (seen: WorkflowState, retry: number): Promise<boolean> => {
          const claim = { activation: 1, retry }
          return storage.store.commit(change(seen, {}, { guard: { kind: 'runner', claim } }))
        }
        expect(await write(before, 1)).toBe(false)
        expect(await write(before, 0)).toBe(true)
        const cancelled = change(await load(before.id), { active: false, status: 'cancelled' })
        expect(await storage.store.commit(cancelled)).toBe(true)
        expect(await write(cancelled.state, 0)).toBe(false)
      })

      it('keeps a claim that was taken over without an event, when a verb that has not seen it commits', async () => {
        const before = await claimed()
        const newer = { activation: 1, retry: 1 }
        const adopt = change(before, { claim: newer }, { guard: { kind: 'runner', claim: firstClaim }, events: [] })
        expect(await storage.store.commit(adopt)).toBe(true)
        expect(await storage.store.commit(change(before, {}))).toBe(true)
        expect((await load(before.id)).claim).toEqual(newer)
      })

      it('is refused to a verb that has not seen a hand-over without an event', async () => {
        const before = await claimed()
        const handOver = change(
          before,
          { activation: 2, jobId: randomUUID() },
          { guard: { kind: 'runner', claim: firstClaim }, events: [], sendJob: true, completeJob: before.jobId },
        )
        expect(await storage.store.commit(handOver)).toBe(true)
        expect(await storage.store.commit(change(before, {}))).toBe(false)
        expect(await load(before.id)).toEqual(handOver.state)
      })

      it('completes the job and sends the next one in the same transaction, or neither', async () => {
        await liveJobs()
        const before = await claimed()
        const next = { activation: 2, jobId: randomUUID() }
        const jobs = { sendJob: true, completeJob: before.jobId }
        expect(await storage.store.commit({ ...change(before, next, jobs), seen: 99 })).toBe(false)
        const orphan = artifact('a', { version: 1, stepIndex: 0 })
        const broken = change(before, next, { ...jobs, artifacts: [orphan, orphan] })
        await expect(storage.store.commit(broken)).rejects.toMatchObject({ code: 'internal' })
        expect(await load(before.id)).toEqual(before)
        expect(await storage.store.strandedIds()).not.toContain(before.id)
        expect(await storage.store.commit(change(before, next, jobs))).toBe(true)
        expect(await liveJobs()).toEqual(new Set([next.jobId]))
      })

      it('completes a job that was fetched, and finds nothing wrong with one that is gone', async () => {
        await liveJobs()
        const before = await claimed()
        const [job] = await storage.queue.fetch(1)
        expect(job?.id).toBe(before.jobId)
        const end = change(before, { active: false, jobId: null, status: 'completed' }, { completeJob: before.jobId })
        expect(await storage.store.commit(end)).toBe(true)
        expect(await liveJobs()).toEqual(new Set())
        const again = change(end.state, {}, { completeJob: before.jobId })
        expect(await storage.store.commit(again)).toBe(true)
      })

      it('numbers without gaps under fifty verbs at once', async () => {
        const first = await created()
        const { id } = first
        const verb = async (n: number): Promise<void> => {
          for (;;) {
            const [head] = await storage.store.heads([id])
            const before = { ...first, seq: head?.seq ?? 0 }
            const events = [event(before.seq + 1, 'step.queued', { data: { n } }), event(before.seq + 2, 'step.queued')]
            if (await storage.store.commit(change(before, {}, { events }))) return
          }
        }
        await Promise.all(Array.from({ length: 50 }, (_, n) => verb(n)))
        const page = await storage.store.eventsAfter(id, 0, 1000)
        expect(page?.seq).toBe(101)
        expect(page?.events.map(({ seq }) => seq)).toEqual(Array.from({ length: 101 }, (_, n) => n + 1))
        expect(new Set(page?.events.map(({ data }) => data['n']).filter((n) => n !== undefined)).size).toBe(50)
      })
    })

    describe('events', () => {
      it('come in pages with the status of the same moment', async () => {
        const before = await created({ seq: 5 })
        const page = await storage.store.eventsAfter(before.id, 1, 2)
        expect(page).toMatchObject({ status: 'queued', seq: 5 })
        expect(page?.events.map(({ seq }) => seq)).toEqual([2, 3])
        expect((await storage.store.eventsAfter(before.id, 5, 2))?.events).toEqual([])
      })

      it('tell which attempts were open after each of them', async () => {
        const before = await created()
        const on = (seq: number, type: Parameters<typeof event>[1], index: number, attempt: number) =>
          event(seq, type, { step: `step-${index}`, attempt })
        const events = [
          on(2, 'step.started', 0, 1),
          on(3, 'step.started', 1, 1),
          on(4, 'step.retrying', 0, 1),
          on(5, 'step.started', 0, 2),
          on(6, 'step.completed', 1, 1),
          on(7, 'step.cancelled', 0, 2),
        ]
        expect(await storage.store.commit(change(before, {}, { events }))).toBe(true)
        const openAt = async (seq: number): Promise<string[]> =>
          (await storage.store.attemptsOpenAt(before.id, seq)).map(
            (open) => `${open.stepIndex} ${open.step}@${open.attempt}`,
          )
        expect(await openAt(1)).toEqual([])
        expect(await openAt(3)).toEqual(['0 step-0@1', '1 step-1@1'])
        expect(await openAt(4)).toEqual(['1 step-1@1'])
        expect(await openAt(5)).toEqual(['0 step-0@2', '1 step-1@1'])
        expect(await openAt(7)).toEqual([])
      })
    })

    describe('outputs, attempts and artifacts', () => {
      it('keeps the text of an attempt, and shows the newest kept one in the record', async () => {
        const before = await created()
        const text = `a🦄b\r\n\r\ndata: "x"\u2028${'long '.repeat(5000)}`
        const record = {
          stepIndex: 0,
          attempt: 1,
          status: 'open' as const,
          startedAt: moment,
          endedAt: null,
          endpoint: 'default',
          model: null,
          finishReason: null,
          error: null,
        }
        const opened = change(before, {}, { attempts: [record] })
        expect(await storage.store.commit(opened)).toBe(true)
        const closed = { ...record, status: 'kept' as const, endedAt: moment + 5, model: 'm', finishReason: 'stop' }
        const kept = change(
          opened.state,
          { steps: [step(0, { keptAttempt: 1, attempt: 1, status: 'completed' }), step(1)] },
          { changedSteps: [0], attempts: [record, closed], outputs: [{ stepIndex: 0, attempt: 1, text }] },
        )
        expect(await storage.store.commit(kept)).toBe(true)
        expect(await storage.store.output(before.id, 0, 1)).toBe(text)
        expect(await storage.store.output(before.id, 0, 2)).toBeNull()
        expect((await storage.store.record(before.id))?.outputs).toEqual(new Map([[0, text]]))
        expect(await storage.store.attempts(before.id, 0)).toEqual([{ ...closed, usage: noUsage, output: text }])
        expect(await storage.store.attempts(before.id, 1)).toEqual([])
      })

      it('has every version of a file, and as current the newest of what is a result', async () => {
        const before = await created()
        const result = (index: number, keptAttempt: number, status: 'completed' | 'failed' = 'completed') =>
          step(index, { ...before.steps[index], keptAttempt, status })
        const first = change(
          before,
          { steps: [result(0, 1), result(1, 1)] },
          {
            changedSteps: [0, 1],
            outputs: [0, 1].map((stepIndex) => ({ stepIndex, attempt: 1, text: `text ${stepIndex}` })),
            artifacts: [
              artifact('src/a.ts', { content: 'one é' }),
              artifact('src/a.ts', { content: 'two', version: 2, stepIndex: 1 }),
              artifact('B', { content: 'one é' }),
            ],
          },
        )
        expect(await storage.store.commit(first)).toBe(true)
        const { id } = before
        const { store } = storage
        const listed = async (): Promise<string[]> => (await store.artifacts(id)).map((a) => `${a.path} ${a.version}`)
        expect(await listed()).toEqual(['B 1', 'src/a.ts 2'])
        expect((await store.artifacts(id))[0]).toMatchObject({ bytes: 6, createdAt: moment, mediaType: 'text/plain' })
        expect(await store.artifactVersions(id, ['src/a.ts', 'B', 'none'])).toEqual(
          new Map([
            ['src/a.ts', 2],
            ['B', 1],
          ]),
        )
        const current = await store.artifact(id, 'src/a.ts', null)
        expect(current).toMatchObject({ path: 'src/a.ts', version: 2, stepIndex: 1, attempt: 1, bytes: 3 })
        expect(Buffer.isBuffer(current?.content) && current.content.toString()).toBe('two')
        expect((await store.artifact(id, 'src/a.ts', 1))?.content.toString()).toBe('one é')
        expect(await store.artifact(id, 'src/a.ts', 3)).toBeNull()

        const files = [
          { path: 'B', content: 'one é' },
          { path: 'src/a.ts', content: 'one é' },
        ]
        const of = [1, 0].map((stepIndex) => ({ stepIndex, attempt: 1 }))
        expect(await store.results(id, of)).toEqual([
          { stepIndex: 1, output: 'text 1', files: [{ path: 'src/a.ts', content: 'two' }] },
          { stepIndex: 0, output: 'text 0', files },
        ])
        expect(await store.results(id, [])).toEqual([])

        const undone = change(first.state, { steps: [result(0, 1), result(1, 1, 'failed')] }, { changedSteps: [1] })
        expect(await store.commit(undone)).toBe(true)
        expect(await listed()).toEqual(['B 1', 'src/a.ts 1'])
        expect((await store.artifact(id, 'src/a.ts', 2))?.content.toString()).toBe('two')
      })
    })

    describe('the ledger', () => {
      it('sums calls by step and attempt, an unsettled one by its estimate', async () => {
        const before = await created()
        const { id } = before
        const { store } = storage
        const inside = call(id)
        expect(await store.commit(change(before, {}, { calls: [inside] }))).toBe(true)
        const sum = async () => (await load(id)).steps[0]?.usage
        const estimate = { ...noUsage, inputTokens: 100, llmCalls: 1, estimated: true }
        expect(await sum()).toEqual(estimate)
        await store.settleCall({ id: inside.id, usage, finishReason: 'stop' })
        expect(await sum()).toEqual({ ...usage, llmCalls: 1 })
        await store.settleCall({ id: inside.id, usage: { ...usage, inputTokens: 999 }, finishReason: null })
        await store.addCall(call(id, { attempt: 2 }))
        expect(await sum()).toEqual({ ...usage, inputTokens: 110, llmCalls: 2, estimated: true })
        expect((await load(id)).steps[1]?.usage).toEqual(noUsage)
        const free = call(id, { stepIndex: 1 })
        await store.addCall(free)
        await store.settleCall({ id: free.id, usage: { ...usage, costUsd: null }, finishReason: 'stop' })
        expect((await load(id)).steps[1]?.usage).toEqual({ ...usage, llmCalls: 1, costUsd: null })
      })

      it('refuses a call of a workflow that is gone, and settles one without complaint', async () => {
        await expect(storage.store.addCall(call('wf_none'))).rejects.toMatchObject({ code: 'internal' })
        await storage.store.settleCall({ id: randomUUID(), usage, finishReason: null })
      })

      it('sums today by role', async () => {
        const role = `role_${randomUUID()}`
        const first = step(0)
        const mine = step(0, { definition: { ...first.definition, role } })
        const before = await created({ steps: [mine] })
        await storage.store.addCall(call(before.id))
        const done = { ...mine, status: 'completed' as const, endedAt: storage.clock.now() }
        const end = change(before, { steps: [done] }, { changedSteps: [0] })
        expect(await storage.store.commit(end)).toBe(true)
        expect((await storage.store.usageToday()).get(role)).toEqual({
          usage: { ...noUsage, inputTokens: 100, llmCalls: 1, estimated: true },
          completedSteps: 1,
        })
      })
    })

    describe('list', () => {
      const add = async (type: string, count: number): Promise<string[]> => {
        const ids: string[] = []
        for (let n = 0; n < count; n += 1) {
          const time = (moment + n).toString(16).padStart(12, '0')
          ids.unshift((await created({ type, createdAt: moment + n, id: `wf_${time}${randomUUID()}` })).id)
        }
        return ids
      }

      it('is newest first, filtered by type, status and time', async () => {
        const type = `type_${randomUUID()}`
        const ids = await add(type, 4)
        const list = async (filter: Partial<ListFilter>): Promise<string[]> =>
          (await storage.store.list({ ...everything, type, ...filter })).map((record) => record.state.id)
        expect(await list({})).toEqual(ids)
        expect(await list({ createdAfter: moment, createdBefore: moment + 3 })).toEqual(ids.slice(1, 3))
        expect(await list({ statuses: ['completed', 'failed'] })).toEqual([])
        const second = await load(ids[1] ?? '')
        expect(await storage.store.commit(change(second, { status: 'failed' }))).toBe(true)
        expect(await list({ statuses: ['completed', 'failed'] })).toEqual([ids[1]])
        expect(await list({ statuses: ['queued'] })).toEqual([ids[0], ids[2], ids[3]])
        expect((await storage.store.list({ ...everything, type, limit: 1 }))[0]?.state).toEqual(
          await load(ids[0] ?? ''),
        )
      })

      it('pages without missing or repeating one while others are added', async () => {
        const type = `type_${randomUUID()}`
        const ids = await add(type, 5)
        const seen: string[] = []
        for (let after: string | null = null; ;) {
          const page = await storage.store.list({ ...everything, type, limit: 2, after })
          if (page.length === 0) break
          seen.push(...page.map((record) => record.state.id))
          after = seen.at(-1) ?? null
          await created({ type })
        }
        expect(seen).toEqual(ids)
      })

      it('finds metadata, and direct tasks by role', async () => {
        const ticket = randomUUID()
        const workflow = newWorkflow()
        const metadata = { ticket, other: 'x' }
        await storage.store.create({ ...workflow, input: { ...workflow.input, metadata } })
        const found = await storage.store.list({ ...everything, metadata: { ticket } })
        expect(found.map((record) => [record.state.id, record.input.metadata])).toEqual([[workflow.state.id, metadata]])
        expect(await storage.store.list({ ...everything, metadata: { ticket, other: 'y' } })).toEqual([])

        const role = `role_${randomUUID()}`
        const first = step(0)
        const steps = [step(0, { definition: { ...first.definition, role } })]
        const task = await created({ kind: 'task', id: testId('task'), steps })
        await created({ steps })
        const tasks = await storage.store.list({ ...everything, kind: 'task', role })
        expect(tasks.map((record) => record.state)).toEqual([task])
      })
    })

    describe('who is where', () => {
      it('shows the heads of those that exist', async () => {
        const one = await claimed()
        const two = await created()
        const heads = await storage.store.heads([one.id, 'wf_none', two.id])
        expect(heads.toSorted((a, b) => b.seq - a.seq)).toEqual([
          { id: one.id, seq: 2, active: true, claim: firstClaim },
          { id: two.id, seq: 1, active: true, claim: null },
        ])
        expect(await storage.store.heads([])).toEqual([])
      })

      it('knows the active, and those of them whose job is gone', async () => {
        const { store } = storage
        await liveJobs()
        const before = await created()
        expect(await store.activeIds()).toContain(before.id)
        expect(await store.strandedIds()).not.toContain(before.id)
        await liveJobs()
        expect(await store.strandedIds()).toContain(before.id)
        const next = { activation: 2, jobId: randomUUID() }
        expect(await store.commit(change(before, next, { sendJob: true, events: [] }))).toBe(true)
        expect(await store.strandedIds()).not.toContain(before.id)
        const idle = change({ ...before, ...next }, { active: false }, { completeJob: next.jobId })
        expect(await store.commit(idle)).toBe(true)
        expect(await store.activeIds()).not.toContain(before.id)
        expect(await store.strandedIds()).not.toContain(before.id)
      })

      it('counts those that wait', async () => {
        const before = await storage.store.queueDepth()
        await created({ createdAt: moment - 1_000_000 })
        const after = await storage.store.queueDepth()
        expect(after).toEqual({ queued: before.queued + 1, oldestCreatedAt: moment - 1_000_000 })
      })
    })

    describe('remove', () => {
      it('removes an ended workflow with everything, and nothing else', async () => {
        const before = await created()
        const { id } = before
        const { store } = storage
        expect(await store.remove('wf_none')).toBe('missing')
        expect(await store.remove(id)).toBe('not_ended')
        const end = change(
          before,
          { active: false, status: 'cancelled' },
          { artifacts: [artifact('a')], calls: [call(id)], outputs: [{ stepIndex: 0, attempt: 1, text: 't' }] },
        )
        expect(await store.commit(end)).toBe(true)
        expect(await store.remove(id)).toBe('removed')
        expect(await store.remove(id)).toBe('missing')
        expect(await store.load(id)).toBeNull()
        expect(await store.output(id, 0, 1)).toBeNull()
        expect(await store.artifact(id, 'a', 1)).toBeNull()
        await storage.store.create({ ...newWorkflow(), state: { ...before, jobId: randomUUID() } })
        expect(await load(id)).toMatchObject({ seq: 1, status: 'queued' })
      })
    })

    describe('the queue', () => {
      it('gives jobs by priority, then age, and keeps what is held for its holder', async () => {
        await liveJobs()
        const ids: string[] = []
        for (const priority of [0, -5, 10, 0]) ids.push((await created({ priority })).id)
        const jobs = await storage.queue.fetch(10)
        expect(jobs.map((job) => job.workflowId)).toEqual([ids[2], ids[0], ids[3], ids[1]])
        expect(await storage.queue.fetch(10)).toEqual([])
        await storage.queue.touch(jobs)
        await storage.queue.touch([])
        expect(await storage.queue.hasLapsed()).toBe(false)
        await storage.queue.supervise()
        expect(await storage.queue.fetch(10)).toEqual([])
        const stale = jobs.map((job) => ({ ...job, retry: job.retry + 1 }))
        for (const job of stale) await storage.queue.completeFenced(job)
        expect(await storage.store.strandedIds()).not.toContain(ids[0])
        for (const job of jobs) await storage.queue.completeFenced(job)
        expect(await storage.store.strandedIds()).toContain(ids[0])
      })
    })

    it('tells the time of the database, whole milliseconds', () => {
      expect(Math.abs(storage.clock.now() - Date.now())).toBeLessThan(2000)
      expect(Number.isInteger(storage.clock.now())).toBe(true)
      expect(storage.ready()).toBe(true)
    })
  })
}
