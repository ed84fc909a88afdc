import { randomUUID } from 'node:crypto'

import { describe, expect, it } from 'vitest'

import type { OpenGate } from '../../src/workflows/store.ts'
import type { StepState, WorkflowState } from '../../src/workflows/workflow.ts'
import { testId } from '../support/database.ts'
import { change, moment, step } from './fixtures.ts'
import type { StoreBench } from './store-bench.ts'

function waiting(index: number, changes: Partial<StepState> = {}): StepState {
  return step(index, {
    status: 'waiting',
    attempt: 1,
    keptAttempt: 1,
    waitingAttempt: 1,
    waitingSince: moment,
    ...changes,
  })
}

/** What open gates and their answers promise. */
export function describeGates(bench: StoreBench): void {
  /** Every gate of the workflows of one type, in pages; `between` happens after each page. */
  const gatesOf = async (
    type: string,
    limit: number,
    between?: (page: number) => Promise<void>,
  ): Promise<OpenGate[]> => {
    const found: OpenGate[] = []
    for (let after: OpenGate | null = null, n = 0; ; n += 1) {
      const page = await bench.storage().store.openGates({ limit, after, owner: null })
      found.push(...page.filter((gate) => gate.type === type))
      after = page.at(-1) ?? null
      if (after === null) return found
      expect(page.length).toBeLessThanOrEqual(limit)
      await between?.(n)
    }
  }

  const close = async (workflow: WorkflowState, index: number): Promise<void> => {
    const before = await bench.load(workflow.id)
    const steps = before.steps.map((one) => (one.index === index ? { ...one, status: 'completed' as const } : one))
    expect(await bench.storage().store.commit(change(before, { steps }, { changedSteps: [index] }))).toBe(true)
  }

  describe('open gates', () => {
    it('are listed with those first that wait longest', async () => {
      const type = `type_${randomUUID()}`
      const late = await bench.created({ type, steps: [waiting(0, { waitingSince: moment + 2 })] })
      const steps = [waiting(0, { attempt: 4, waitingAttempt: 3, expiresAt: moment + 9 }), step(1), waiting(2)]
      const early = await bench.created({ type, steps })
      const gate = { type, role: 'developer', attempt: 1, expiresAt: null, waitingSince: moment }
      expect(await gatesOf(type, 100)).toEqual([
        { ...gate, workflowId: early.id, step: 'step-0', attempt: 3, expiresAt: moment + 9 },
        { ...gate, workflowId: early.id, step: 'step-2' },
        { ...gate, workflowId: late.id, step: 'step-0', waitingSince: moment + 2 },
      ])
      expect(await bench.storage().store.openGates({ limit: 0, after: null, owner: null })).toEqual([])
    })

    it('come in pages without missing or repeating one while others open and close', async () => {
      const type = `type_${randomUUID()}`
      const made: WorkflowState[] = []
      // Many that wait since the same moment, within a workflow and over several.
      for (let n = 0; n < 4; n += 1) {
        const steps = [0, 1].map((index) => waiting(index, { waitingSince: moment + Math.floor(n / 2) }))
        made.push(await bench.created({ type, steps }))
      }
      const lasting = new Set(made.flatMap(({ id }) => [`${id} step-0`, `${id} step-1`]))
      const brief = await bench.created({ type, steps: [waiting(0, { waitingSince: moment - 1 }), waiting(1)] })
      const found = await gatesOf(type, 3, async (page) => {
        if (page === 0) await close(brief, 0)
        await bench.created({ type, steps: [waiting(0, { waitingSince: moment - 5 })] })
      })
      const names = found.map((gate) => `${gate.workflowId} ${gate.step}`)
      expect(new Set(names).size).toBe(names.length)
      expect(new Set(names.filter((name) => lasting.has(name)))).toEqual(lasting)
    })

    it('go on after one that was answered, and after one whose workflow is gone', async () => {
      const type = `type_${randomUUID()}`
      // Two that wait since the same moment are listed by their ids, which are in no order within a millisecond.
      const [lower, higher] = [testId(), testId()].toSorted()
      const since = (waitingSince: number) => [waiting(0, { waitingSince })]
      const first = await bench.created({ type, steps: [...since(1), waiting(1, { waitingSince: 1 })] })
      const ended = { active: false, status: 'cancelled' } as const
      const second = await bench.created({ id: lower!, type, ...ended, steps: since(2) })
      const third = await bench.created({ id: higher!, type, steps: since(2) })
      const after = (workflow: WorkflowState, waitingSince: number) =>
        bench.storage().store.openGates({
          limit: 1,
          after: { workflowId: workflow.id, step: 'step-0', waitingSince },
          owner: null,
        })
      await close(first, 0)
      expect(await after(first, 1)).toMatchObject([{ workflowId: first.id, step: 'step-1' }])
      expect(await bench.storage().store.remove(second.id)).toBe('removed')
      expect(await after(second, 2)).toMatchObject([{ workflowId: third.id }])
    })

    it('are found when their time is over, the oldest first', async () => {
      const now = bench.storage().clock.now()
      const expired = async (): Promise<string[]> =>
        (await bench.storage().store.expiredGates(100)).map(({ workflowId, stepIndex }) => `${workflowId} ${stepIndex}`)
      const before = await expired()
      const one = await bench.created({ steps: [waiting(0, { expiresAt: now - 5000 }), waiting(1)] })
      const two = await bench.created({
        steps: [step(0, { expiresAt: now - 9000 }), waiting(1, { expiresAt: now - 7000 })],
      })
      await bench.created({ steps: [waiting(0, { expiresAt: now + 3_600_000 })] })
      const added = (await expired()).filter((gate) => !before.includes(gate))
      expect(added).toEqual([`${two.id} 1`, `${one.id} 0`])
      await close(two, 1)
      await close(one, 0)
      expect(await expired()).toEqual(before)
      expect(await bench.storage().store.expiredGates(0)).toEqual([])
    })
  })

  describe('an answer', () => {
    it('is kept with its attempt, until the workflow is deleted', async () => {
      const { store } = bench.storage()
      const before = await bench.created()
      const rejected = { stepIndex: 0, attempt: 1, verb: 'reject' as const, digest: 'd1' }
      const approved = { stepIndex: 0, attempt: 2, verb: 'approve' as const, digest: 'd2' }
      const first = change(before, {}, { answers: [rejected] })
      expect(await store.commit(first)).toBe(true)
      const second = change(first.state, { active: false, status: 'completed' }, { answers: [approved] })
      expect(await store.commit(second)).toBe(true)
      expect(await store.answer(before.id, 0, 1)).toEqual(rejected)
      expect(await store.answer(before.id, 0, 2)).toEqual(approved)
      expect(await store.answer(before.id, 1, 1)).toBeNull()
      expect(await store.answer('wf_none', 0, 1)).toBeNull()
      expect(await store.remove(before.id)).toBe('removed')
      expect(await store.answer(before.id, 0, 1)).toBeNull()
    })
  })
}
