import fc from 'fast-check'
import { expect, test } from 'vitest'
import { keepsAttempt } from '../../src/workflows/events.ts'
import type { LifecycleEvent } from '../../src/workflows/events.ts'
import type { SeenEvent } from '../support/followed-events.ts'
import { expectLawful } from './lawful-log.ts'
import { dag, finish, happen, incidents, limits } from './workflow-incidents.ts'
import { WorkflowRun } from './workflow-run.ts'

/** As a reader would see it, every text being empty. */
function seen({ seq, type, at, step, attempt, data }: LifecycleEvent): SeenEvent {
  const ofStep = step === null ? {} : { step, attempt: attempt ?? 0 }
  const output = keepsAttempt(type) ? { output: '' } : {}
  return { id: String(seq), seq, type, at: new Date(at).toISOString(), ...ofStep, ...output, ...data }
}

const log = fc.tuple(dag, limits, incidents).map(([sketches, of, happened]) => {
  const run = new WorkflowRun(sketches, of)
  for (const each of happened) happen(run, of, each)
  finish(run, of, ['completed', 'approved'])
  return run.events.map(seen)
})

const decisive = new Set(['step.started', 'step.completed', 'step.rejected', 'step.approved', 'workflow.resumed'])

test('whatever the transitions do is lawful, and without one decisive event it is not', () => {
  fc.assert(
    fc.property(log, fc.nat(), (events, pick) => {
      expectLawful(events)
      const [first, ...rest] = events.filter(({ type }) => decisive.has(type))
      if (first === undefined) return
      const lost = [first, ...rest][pick % (rest.length + 1)]
      const others = events.filter((event) => event !== lost)
      const renumbered = others.map((event, index) => Object.assign({}, event, { seq: index + 1 }))
      expect(() => expectLawful(renumbered), `without ${lost?.seq} ${lost?.type}`).toThrow()
    }),
    { numRuns: 80 },
  )
})
