import { describe, expect, it } from 'vitest'

import { noUsage } from '../../src/workflows/workflow.ts'
import type { StepState, WorkflowState } from '../../src/workflows/workflow.ts'
import { artifact, change, firstClaim, moment, step } from './fixtures.ts'
import type { StoreBench } from './store-bench.ts'

const files = (text: string) => [
  { path: 'a.txt', content: `a of ${text}` },
  { path: 'b.txt', content: `b of ${text}` },
]

const closed = {
  stepIndex: 0,
  attempt: 1,
  status: 'kept',
  startedAt: moment,
  endedAt: moment + 1,
  endpoint: 'default',
  model: 'm',
  finishReason: 'stop',
  error: null,
} as const

/** What a person's edit, and a verb's other options, do to what is stored. */
export function describeEdits(bench: StoreBench): void {
  const commit = async (made: ReturnType<typeof change>): Promise<WorkflowState> => {
    expect(await bench.storage().store.commit(made)).toBe(true)
    return made.state
  }

  /** A workflow whose first step has kept `model`, in a.txt and b.txt, and waits for an answer. */
  const kept = async (): Promise<WorkflowState> => {
    const before = await bench.created()
    const waiting = step(0, { ...before.steps[0], status: 'waiting', attempt: 1, keptAttempt: 1, waitingAttempt: 1 })
    const made = change(
      before,
      { steps: [waiting, step(1, before.steps[1])] },
      {
        changedSteps: [0],
        attempts: [closed],
        outputs: [{ stepIndex: 0, attempt: 1, text: 'model' }],
        artifacts: files('model').map(({ path, content }) => artifact(path, { content })),
      },
    )
    return commit(made)
  }

  const withFirst = (before: WorkflowState, changes: Partial<StepState>): Pick<WorkflowState, 'steps'> => ({
    steps: before.steps.map((one) => (one.index === 0 ? { ...one, ...changes } : one)),
  })

  /** The same after somebody approved it as `person`, with only a.txt in it. */
  const edited = async (): Promise<WorkflowState> => {
    const before = await kept()
    const approved = { status: 'completed', edited: true, artifacts: ['a.txt'] } as const
    const made = change(before, withFirst(before, approved), {
      changedSteps: [0],
      edits: [{ stepIndex: 0, attempt: 1, text: 'person' }],
      artifacts: [artifact('a.txt', { content: 'a of person', version: 2, edited: true })],
    })
    return commit(made)
  }

  describe('an edit', () => {
    it('is the result of the step, while the output of the attempt stays the model’s', async () => {
      const { id } = await edited()
      const { store } = bench.storage()
      expect((await store.record(id))?.outputs).toEqual(new Map([[0, 'person']]))
      expect(await store.output(id, 0, 1)).toBe('model')
      expect(await store.attempts(id, 0)).toEqual([{ ...closed, usage: noUsage, output: 'model' }])
      expect(await store.edit(id, 0, 1)).toBe('person')
      expect(await store.edit(id, 0, 2)).toBeNull()
      expect(await store.results(id, [{ stepIndex: 0, attempt: 1 }])).toEqual([
        { stepIndex: 0, output: 'person', files: [{ path: 'a.txt', content: 'a of person' }] },
      ])
    })

    it('replaces the files of the attempt, whose versions stay readable', async () => {
      const { id } = await edited()
      const { store } = bench.storage()
      const listed = await store.artifacts(id)
      expect(listed.map(({ path, version }) => `${path} ${version}`)).toEqual(['a.txt 2'])
      expect((await store.artifact(id, 'a.txt', null))?.content.toString()).toBe('a of person')
      expect((await store.artifact(id, 'a.txt', 1))?.content.toString()).toBe('a of model')
      expect(await store.artifact(id, 'b.txt', null)).toBeNull()
      expect((await store.artifact(id, 'b.txt', 1))?.content.toString()).toBe('b of model')
      expect(await store.artifactVersions(id, ['a.txt'])).toEqual(new Map([['a.txt', 2]]))
    })

    it('of nothing but prose leaves no file', async () => {
      const before = await kept()
      const edits = [{ stepIndex: 0, attempt: 1, text: 'prose' }]
      const approved = withFirst(before, { status: 'completed', edited: true, artifacts: [] })
      const { id } = await commit(change(before, approved, { changedSteps: [0], edits }))
      expect(await bench.storage().store.artifacts(id)).toEqual([])
      const results = await bench.storage().store.results(id, [{ stepIndex: 0, attempt: 1 }])
      expect(results).toEqual([{ stepIndex: 0, output: 'prose', files: [] }])
    })

    it('counts no more when the step has a new text', async () => {
      const before = await edited()
      const again = withFirst(before, { attempt: 2, keptAttempt: 2, edited: false })
      const made = change(before, again, {
        changedSteps: [0],
        outputs: [{ stepIndex: 0, attempt: 2, text: 'second' }],
        artifacts: [artifact('b.txt', { content: 'b of second', version: 2, attempt: 2 })],
      })
      const { id } = await commit(made)
      const { store } = bench.storage()
      expect((await store.record(id))?.outputs).toEqual(new Map([[0, 'second']]))
      expect((await store.artifacts(id)).map(({ path }) => path)).toEqual(['b.txt'])
      const of = [1, 2].map((attempt) => ({ stepIndex: 0, attempt }))
      expect((await store.results(id, of)).map(({ output }) => output)).toEqual(['person', 'second'])
    })

    it('goes with its workflow', async () => {
      const before = await edited()
      await commit(change(before, { active: false, status: 'completed' }))
      expect(await bench.storage().store.remove(before.id)).toBe('removed')
      expect(await bench.storage().store.edit(before.id, 0, 1)).toBeNull()
    })
  })

  describe('a verb', () => {
    it('changes priority and options, those that the client sees, and how a step is defined', async () => {
      const before = await bench.created({ priority: 1, options: { model: 'old' } })
      const requested = { model: 'new', timeout_seconds: 5, z: null, a: [1] }
      const { definition } = step(0)
      const next = {
        priority: 9,
        options: { model: 'new', timeoutMs: 5000 },
        ...withFirst(before, { definition: { ...definition, options: { temperature: 0.5 }, approval: true } }),
      }
      const after = await commit(change(before, next, { changedSteps: [0], requestedOptions: requested }))
      expect(await bench.load(before.id)).toEqual(after)
      expect((await bench.storage().store.input(before.id))?.options).toEqual(requested)
      expect((await bench.storage().store.record(before.id))?.input.options).toEqual(requested)
      await commit(change(after, { updatedAt: moment + 1 }))
      expect((await bench.storage().store.input(before.id))?.options).toEqual(requested)
      const refused = { ...change(after, {}, { requestedOptions: {} }), seen: 99 }
      expect(await bench.storage().store.commit(refused)).toBe(false)
      expect((await bench.storage().store.input(before.id))?.options).toEqual(requested)
    })

    it('alone defines a step anew: a checkpoint does not write its definition again', async () => {
      const before = await bench.claimed()
      const definition = { ...step(0).definition, instruction: 'never written' }
      const checkpoint = change(before, withFirst(before, { definition, losses: 3 }), {
        changedSteps: [0],
        guard: { kind: 'runner', claim: firstClaim },
      })
      await commit(checkpoint)
      expect((await bench.load(before.id)).steps[0]).toEqual({ ...before.steps[0], losses: 3 })
    })
  })
}
