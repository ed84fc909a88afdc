import type { StepDefinition } from '../../src/workflows/workflow.ts'
import type { Behaviour, SeenCall } from '../support/fault-answers.ts'

interface ScenarioStep {
  readonly id: string
  readonly dependsOn: readonly string[]
  /** Its result waits for a person. */
  readonly approval: boolean
}

const step = (id: string, dependsOn: readonly string[], approval = false): ScenarioStep => ({ id, dependsOn, approval })

/**
 * `plan` fails once and is retried, `left` and `right` run at the same time and `left` is continued, `draft` is rejected
 * once and then approved, `last` is refused by the model until the workflow is resumed.
 */
export const scenarioSteps: readonly ScenarioStep[] = [
  step('plan', []),
  step('left', ['plan']),
  step('right', ['plan']),
  step('draft', ['left', 'right'], true),
  step('last', ['draft']),
]

/** Events of the workflow itself, whatever dies on the way: a change of replica has none. */
export const foretold: readonly string[] = [
  ['workflow.queued'],
  ['workflow.started', 'workflow.waiting', 'workflow.resumed'],
  ['workflow.started', 'workflow.waiting', 'workflow.resumed'],
  ['workflow.started', 'workflow.failed', 'workflow.resumed'],
  ['workflow.started', 'workflow.completed'],
].flat()

const role = 'developer'
const taskOf = (id: string): string => `Do what <${id}> stands for.`

/** Body of the POST that starts it. */
export const startBody = {
  type: 'custom',
  requirement: 'Survive.',
  steps: scenarioSteps.map(({ id, dependsOn, approval }) => {
    return { id, role, task: taskOf(id), depends_on: dependsOn, approval }
  }),
}

/** The same steps as the service knows them. */
export const definitions: readonly StepDefinition[] = scenarioSteps.map(({ id, dependsOn, approval }) => {
  const asked = { taskType: null, instruction: taskOf(id), context: {}, options: {} }
  return { id, role, dependsOn, approval, onFailure: 'stop', ...asked }
})

/** The step that a call is for; '' when it is for none. */
export function stepOfCall({ messages }: SeenCall): string {
  const found = scenarioSteps.find(({ id }) => messages.some(({ content }) => content.includes(taskOf(id))))
  return found?.id ?? ''
}

/** How the model answers in this scenario. */
export interface ScriptedAnswers {
  answer(call: SeenCall): Behaviour
  /** From now on `last` is answered. */
  relent(): void
  /** Text that a call was given; '' when it was refused. */
  told(call: SeenCall): string
}

const chunksPerText = 6
const file = '\n```text:notes/draft.txt\nWhat was found.\n```\n'

/** Answers of one run. Each tells which call it was made for. */
export function createScriptedAnswers(): ScriptedAnswers {
  const texts = new Map<number, string>()
  let failed = false
  let relented = false

  const refusal = (id: string): Behaviour | null => {
    if (id === 'plan' && !failed) {
      failed = true
      return { status: 500, body: { error: { message: 'Not this time.' } } }
    }
    return id === 'last' && !relented ? { status: 400, body: { error: { message: 'Not before a resume.' } } } : null
  }
  return {
    answer(call) {
      const id = stepOfCall(call)
      const refused = refusal(id)
      if (refused !== null) return refused
      const words = Array.from({ length: chunksPerText }, (_, n) => `word ${n} of ${call.index}, `)
      const chunks = [`Call ${call.index} does ${id} 😀\r\n`, ...words, ...(id === 'draft' ? [file] : [])]
      const text = chunks.join('')
      texts.set(call.index, text)
      return { text, chunks, finishReason: id === 'left' && !isContinuation(call) ? 'length' : 'stop' }
    },
    relent() {
      relented = true
    },
    told: ({ index }) => texts.get(index) ?? '',
  }
}

function isContinuation({ messages }: SeenCall): boolean {
  return messages.some((message) => message.role === 'assistant')
}
