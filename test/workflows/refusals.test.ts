import { describe, expect } from 'vitest'
import type { WorkflowStore } from '../../src/workflows/store.ts'
import type { StepState } from '../../src/workflows/workflow.ts'
import { caller, customStep, test } from '../support/engine-fixture.ts'
import type { EngineBench } from '../support/engine-fixture.ts'

const failed = (step: StepState): StepState => ({ ...step, status: 'failed' })

/** A store on which everything has failed by the time that it is looked at a second time. */
function failingMeanwhile() {
  let looks = 0
  const wrap = (real: WorkflowStore): WorkflowStore => ({
    ...real,
    async load(id) {
      const found = await real.load(id)
      looks += 1
      if (looks === 1 || found === null) return found
      return { ...found, status: 'failed', steps: found.steps.map(failed) }
    },
  })
  return { wrap, looks: () => looks }
}

describe('a refusal tells the state on which it was refused, whatever has become of that since', () => {
  const verbs: readonly (readonly [string, string, (bench: EngineBench, id: string) => Promise<unknown>])[] = [
    [
      'resume',
      'It is queued: it goes on by itself.',
      ({ service }, id) => service.resume({ kind: 'workflow', id }, {}, caller),
    ],
    ['rerun', 'The workflow is queued', ({ service }, id) => service.rerun({ id, step: 'a' }, {}, caller)],
    ['approve', 'it is queued', ({ service }, id) => service.approve({ id, step: 'a' }, { attempt: 1 }, caller)],
    ['reject', 'it is queued', ({ service }, id) => service.reject({ id, step: 'a' }, { feedback: 'no' }, caller)],
  ]
  test.for(verbs)('%s', async ([, words, send], { openBench }) => {
    const { wrap, looks } = failingMeanwhile()
    const bench = await openBench({ store: wrap })
    const id = await bench.start({ type: 'custom', steps: [customStep('a', { approval: true })] })
    const refused: unknown = await send(bench, id).catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'conflict', details: { state: { status: 'queued' } } })
    expect(String(refused)).toContain(words)
    expect(looks()).toBe(1)
  })
})
