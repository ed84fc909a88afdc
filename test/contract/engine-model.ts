import type { Behaviour, SeenCall } from '../support/fault-answers.ts'
import { createLatch, heldAnswer, stepOf, workOf } from '../support/scripted-steps.ts'
import type { Latch } from '../support/scripted-steps.ts'

/** `held`: stops in the middle until the workflow's latch is open. `busy`: may be tried again. `broken`: may not. */
export type ScriptedAnswer = 'work' | 'held' | 'busy' | 'broken'

/** Answers of a step, one for each call, the last one for ever; a step without any does its work. */
export type AnswerScript = Readonly<Record<string, readonly ScriptedAnswer[]>>

/** A model that knows which workflow it is asked for, by the correlation id of its start. */
export interface ScriptedModel {
  answer(call: SeenCall): Behaviour
  /** The latch holds up what is `held`. */
  expect(correlationId: string, script: AnswerScript): Latch
  /** Steps that it was asked for, in order. */
  asked(correlationId: string): readonly string[]
  openAll(): void
}

const refusal = { status: 400, body: { error: { message: 'no' } } } as const

export function createScriptedModel(): ScriptedModel {
  const known = new Map<string, { readonly script: AnswerScript; readonly latch: Latch; readonly asked: string[] }>()
  return {
    answer(call) {
      const found = known.get(String(call.headers['x-correlation-id']))
      const step = stepOf(call)
      if (found === undefined) return refusal
      const before = found.asked.filter((other) => other === step).length
      found.asked.push(step)
      const answers = found.script[step] ?? []
      const answer = answers[before] ?? answers.at(-1) ?? 'work'
      if (answer === 'broken') return refusal
      if (answer === 'busy') return { ...refusal, status: 500 }
      return answer === 'held' ? heldAnswer(step, found.latch) : workOf(step)
    },
    expect(correlationId, script) {
      const latch = createLatch()
      known.set(correlationId, { script, latch, asked: [] })
      return latch
    },
    asked: (correlationId) => known.get(correlationId)?.asked ?? [],
    openAll() {
      for (const { latch } of known.values()) latch.open()
    },
  }
}
