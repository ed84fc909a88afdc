import { randomUUID } from 'node:crypto'

import { describe, expect, it } from 'vitest'

import type { WorkflowState } from '../../src/workflows/workflow.ts'
import { artifact, change, event, firstClaim, moment, newWorkflow, state, step } from './fixtures.ts'
import type { StoreBench } from './store-bench.ts'

/** What creating and changing workflows promises. */
export function describeChanges(bench: StoreBench): void {
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
              approval: true,
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
            waitingAttempt: 2,
            waitingSince: moment + 8,
            expiresAt: moment + 9,
            revisions: 3,
            feedback: { text: 'shorter', attempt: 1 },
            edited: true,
          }),
        ],
      })
      const input = {
        requirement: 'Ünïcode 🦄 \r\n data: x',
        context: { z: { y: 1 }, a: '' },
        files: [{ path: 'src/app.py', content: 'print("é")\n' }],
        metadata: { ticket: 'ABC-1' },
        options: { timeout_seconds: 60 },
        webhook: { url: 'https://example.com/hook', events: ['workflow.completed'] as const },
      }
      await bench.storage().store.create({ ...full, input }, null)
      const { id } = full.state
      expect(await bench.storage().store.load(id)).toEqual(full.state)
      expect(await bench.storage().store.input(id)).toEqual(input)
      const { files: _files, ...rest } = input
      expect(await bench.storage().store.record(id)).toEqual({ state: full.state, input: rest, outputs: new Map() })
      expect(Object.keys((await bench.storage().store.input(id))?.context ?? {})).toEqual(['z', 'a'])
    })

    it('sends the job together with the workflow', async () => {
      await bench.takeJobs()
      const { id, jobId } = await bench.created({ priority: 4 })
      const [job] = await bench.storage().queue.fetch(10)
      expect(job).toMatchObject({ id: jobId, workflowId: id, activation: 1, retry: 0, rank: 40_000_000 })
      expect(await bench.storage().store.strandedIds()).not.toContain(id)
      if (job) await bench.storage().queue.completeFenced(job)
    })

    it('stores nothing, job included, when the id is taken', async () => {
      await bench.takeJobs()
      const first = await bench.created()
      const again = newWorkflow({ id: first.id })
      await expect(bench.storage().store.create(again, null)).rejects.toMatchObject({ code: 'internal' })
      expect(await bench.takeJobs()).toEqual(new Set([first.jobId]))
      expect(await bench.load(first.id)).toEqual(first)
    })

    it('has nothing for an id that is not there', async () => {
      const { store } = bench.storage()
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
      const before = await bench.created()
      const changed = change(
        before,
        { status: 'cancelled', reason: 'cancelled_by_client', endedAt: moment + 9, updatedAt: moment + 9 },
        {
          changedSteps: [1],
          events: [event(2, 'step.cancelled', { step: 'step-1', attempt: 0, data: { b: 1, a: 2 } })],
        },
      )
      const steps = [step(0, { status: 'failed' }), step(1, { ...before.steps[1], status: 'cancelled' })]
      expect(await bench.storage().store.commit({ ...changed, state: { ...changed.state, steps } })).toBe(true)
      const after = await bench.load(before.id)
      expect(after).toEqual({ ...changed.state, steps: [before.steps[0], steps[1]] })
      expect((await bench.storage().store.eventsAfter(before.id, 1, 10))?.events).toEqual(changed.events)
    })

    it('is refused when somebody else has used the number', async () => {
      const before = await bench.created()
      expect(await bench.storage().store.commit(change(before, { status: 'running' }))).toBe(true)
      expect(await bench.storage().store.commit(change(before, { status: 'failed' }))).toBe(false)
      expect((await bench.load(before.id)).status).toBe('running')
      expect((await bench.storage().store.eventsAfter(before.id, 0, 10))?.events).toHaveLength(2)
    })

    it('is refused for a workflow that is gone', async () => {
      expect(await bench.storage().store.commit(change(state(), {}))).toBe(false)
    })

    it('takes the claim only of the current activation of an active workflow, and only with a newer one', async () => {
      const before = await bench.created()
      const take = (seen: WorkflowState, activation: number, retry: number): Promise<boolean> => {
        const claim = { activation, retry }
        return bench.storage().store.commit(change(seen, { claim }, { guard: { kind: 'take', claim }, events: [] }))
      }
      expect(await take(before, 2, 0)).toBe(false)
      expect(await take(before, 0, 9)).toBe(false)
      expect(await take(before, 1, 1)).toBe(true)
      expect((await bench.load(before.id)).claim).toEqual({ activation: 1, retry: 1 })
      expect(await take(before, 1, 1)).toBe(false)
      expect(await take(before, 1, 0)).toBe(false)
      expect(await take(before, 1, 2)).toBe(true)
      const idle = change(await bench.load(before.id), { active: false })
      expect(await bench.storage().store.commit(idle)).toBe(true)
      expect(await take(idle.state, 1, 3)).toBe(false)
    })

    it('lets only the holder of the claim write as the runner, and only while it is active', async () => {
      const before = await bench.claimed()
      const write = (seen: WorkflowState, retry: number): Promise<boolean> => {
        const claim = { activation: 1, retry }
        return bench.storage().store.commit(change(seen, {}, { guard: { kind: 'runner', claim } }))
      }
      expect(await write(before, 1)).toBe(false)
      expect(await write(before, 0)).toBe(true)
      const cancelled = change(await bench.load(before.id), { active: false, status: 'cancelled' })
      expect(await bench.storage().store.commit(cancelled)).toBe(true)
      expect(await write(cancelled.state, 0)).toBe(false)
    })

    it('keeps a claim that was taken over without an event, when a verb that has not seen it commits', async () => {
      const before = await bench.claimed()
      const newer = { activation: 1, retry: 1 }
      const adopt = change(before, { claim: newer }, { guard: { kind: 'runner', claim: firstClaim }, events: [] })
      expect(await bench.storage().store.commit(adopt)).toBe(true)
      expect(await bench.storage().store.commit(change(before, {}))).toBe(true)
      expect((await bench.load(before.id)).claim).toEqual(newer)
    })

    it('is refused to a verb that has not seen a hand-over without an event', async () => {
      const before = await bench.claimed()
      const handOver = change(
        before,
        { activation: 2, jobId: randomUUID() },
        { guard: { kind: 'runner', claim: firstClaim }, events: [], sendJob: true, completeJob: before.jobId },
      )
      expect(await bench.storage().store.commit(handOver)).toBe(true)
      expect(await bench.storage().store.commit(change(before, {}))).toBe(false)
      expect(await bench.load(before.id)).toEqual(handOver.state)
    })

    it('completes the job and sends the next one in the same transaction, or neither', async () => {
      await bench.takeJobs()
      const before = await bench.claimed()
      const next = { activation: 2, jobId: randomUUID() }
      const jobs = { sendJob: true, completeJob: before.jobId }
      expect(await bench.storage().store.commit({ ...change(before, next, jobs), seen: 99 })).toBe(false)
      const orphan = artifact('a', { version: 1, stepIndex: 0 })
      const broken = change(before, next, { ...jobs, artifacts: [orphan, orphan] })
      await expect(bench.storage().store.commit(broken)).rejects.toMatchObject({ code: 'internal' })
      expect(await bench.load(before.id)).toEqual(before)
      expect(await bench.storage().store.strandedIds()).not.toContain(before.id)
      expect(await bench.storage().store.commit(change(before, next, jobs))).toBe(true)
      expect(await bench.takeJobs()).toEqual(new Set([next.jobId]))
    })

    it('completes a job that was fetched, and finds nothing wrong with one that is gone', async () => {
      await bench.takeJobs()
      const before = await bench.claimed()
      const [job] = await bench.storage().queue.fetch(1)
      expect(job?.id).toBe(before.jobId)
      const end = change(before, { active: false, jobId: null, status: 'completed' }, { completeJob: before.jobId })
      expect(await bench.storage().store.commit(end)).toBe(true)
      expect(await bench.takeJobs()).toEqual(new Set())
      const again = change(end.state, {}, { completeJob: before.jobId })
      expect(await bench.storage().store.commit(again)).toBe(true)
    })

    it('numbers without gaps under fifty verbs at once', async () => {
      const first = await bench.created()
      const { id } = first
      const verb = async (n: number): Promise<void> => {
        for (;;) {
          const [head] = await bench.storage().store.heads([id])
          const before = { ...first, seq: head?.seq ?? 0 }
          const events = [event(before.seq + 1, 'step.queued', { data: { n } }), event(before.seq + 2, 'step.queued')]
          if (await bench.storage().store.commit(change(before, {}, { events }))) return
        }
      }
      await Promise.all(Array.from({ length: 50 }, (_, n) => verb(n)))
      const page = await bench.storage().store.eventsAfter(id, 0, 1000)
      expect(page?.seq).toBe(101)
      expect(page?.events.map(({ seq }) => seq)).toEqual(Array.from({ length: 101 }, (_, n) => n + 1))
      expect(new Set(page?.events.map(({ data }) => data['n']).filter((n) => n !== undefined)).size).toBe(50)
    })
  })
}
