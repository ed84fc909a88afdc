import type { LifecycleEvent, LifecycleType } from '../../src/workflows/events.ts'
import type { StepDefinition, WorkflowState } from '../../src/workflows/workflow.ts'
import { check, lineFault } from '../chaos/verdict.ts'
import type { Check } from '../chaos/verdict.ts'
import { EventLedger } from '../workflows/event-ledger.ts'
import { maxRevisions } from './assignments.ts'
import type { Assignment } from './assignments.ts'
import { eventsOf } from './evidence.ts'
import type { Evidence, WorkflowEvidence } from './evidence.ts'
import { ends } from './tracked-workflow.ts'
import type { SeenEvent, SentVerb, Verb } from './tracked-workflow.ts'

/** The stored events: an end for everything, and nothing that the contract does not allow. */
export function checkLogs({ workflows, unended, left, faults, log }: Evidence): readonly Check[] {
  const verbs = workflows.flatMap(({ tracked }) => tracked.verbs())
  // one that was resumed has failed before it ended otherwise
  const ids = new Set(workflows.map(({ tracked }) => tracked.id))
  return [
    { name: 'every 202 has reached an end', looked: workflows.length + unended.length, faults: unended },
    check('numbers, attempts, states and ends are lawful; no step completed twice', workflows, lawFault),
    check('every verb that was accepted was done once', workflows, verbFault),
    { name: 'every answer was as it should be', looked: verbs.length, faults },
    check('no ERROR in the log but of a failure', log, (line) => lineFault(line, ids)),
    check('nothing is left over', Object.entries(left), ([name, count]) => {
      const expected = name === 'workflows' ? workflows.length + unended.length : 0
      return count === expected ? null : `${name}: ${count} instead of ${expected}`
    }),
  ]
}

/** The log as a stranger reads it who knows the contract. */
function lawFault({ tracked, log, workflow }: WorkflowEvidence): string | null {
  const ledger = new EventLedger(stateOf(tracked.assignment), { maxRevisions })
  const errors = new Map<string, unknown>()
  try {
    for (const event of eventsOf(log)) ledger.read(toStored(event, errors))
    return ledger.status === workflow.status ? null : `${tracked.id}: it is ${workflow.status}, not ${ledger.status}`
  } catch (error) {
    return `${tracked.id}: ${error instanceof Error ? error.message : String(error)}`
  }
}

function stateOf({ steps }: Assignment): WorkflowState {
  const asked = { role: 'developer', taskType: null, instruction: '', context: {}, options: {} }
  const definitions = steps.map(({ id, dependsOn, approval, tolerated }): StepDefinition => {
    return { id, dependsOn, approval, onFailure: tolerated ? 'continue' : 'stop', ...asked }
  })
  return { steps: definitions.map((definition) => ({ definition })) } as unknown as WorkflowState
}

/** The error of an end is that of a step: the same one. */
function toStored(event: SeenEvent, errors: Map<string, unknown>): LifecycleEvent {
  const { type, seq = 0, step = null, attempt = null, ...data } = event
  const { at } = data as unknown as { readonly at: string }
  const text = JSON.stringify(event.error)
  const error = errors.get(text) ?? event.error
  errors.set(text, error)
  const common = { seq, step, attempt, at: Date.parse(at), correlationId: '' }
  return { ...common, type: type as LifecycleType, data: error === undefined ? data : { ...data, error } }
}

/** Each 202 is one event; only who got no answer at first, and was refused then, may have done something all the same. */
function verbFault({ tracked, log }: WorkflowEvidence): string | null {
  const events = eventsOf(log)
  const count = (isIt: (event: SeenEvent) => boolean) => events.filter(isIt).length
  const done: readonly (readonly [readonly Verb[], number])[] = [
    [['approve'], count(({ type }) => type === 'step.approved')],
    [['reject'], count(({ type }) => type === 'step.rejected')],
    [['resume', 'rerun'], count(({ type, from = '' }) => type === 'workflow.resumed' && ends.has(from))],
  ]
  // the end of a rerun is a cancellation, too, when another step is cancelled
  const cancelled = count(({ type }) => type === 'workflow.cancelled')
  const asked = numbersOf(tracked.verbs(), ['cancel'])
  const wrong = done.flatMap(([verbs, times]) => {
    const { accepted, possible } = numbersOf(tracked.verbs(), verbs)
    return times < accepted || times > possible ? [`${verbs.join('/')}: ${accepted} accepted, ${times} done`] : []
  })
  if (cancelled < asked.accepted) wrong.push(`cancel: ${asked.accepted} accepted, ${cancelled} done`)
  return wrong.length === 0 ? null : `${tracked.id}: ${wrong.join('; ')}`
}

function numbersOf(sent: readonly SentVerb[], verbs: readonly Verb[]) {
  const those = sent.filter(({ verb }) => verbs.includes(verb))
  const accepted = those.filter(({ status }) => status === 202).length
  const maybe = those.filter(({ status, unanswered }) => status !== 202 && unanswered > 0).length
  return { accepted, possible: accepted + maybe }
}
