import type { LifecycleEvent, LifecycleType } from '../../src/workflows/events.ts'
import type { WorkflowState } from '../../src/workflows/workflow.ts'
import { lineFault } from '../chaos/verdict.ts'
import type { EventJournal, WireEvent } from '../smoke/event-journal.ts'
import { EventLedger } from '../workflows/event-ledger.ts'
import type { Evidence } from './run-case.ts'
import { definitions, foretold, scenarioSteps, stepOfCall } from './scenario.ts'

/** One who reads on over a revival sees this, which a reader of one run must not. */
const expectedFault = 'workflow.resumed after the end'
/** Steps that run at the same time: so many calls may have been noted and not made when a process died. */
const mostAtOnce = 2

/** What broke a promise. */
export function faultsOf(evidence: Evidence): readonly string[] {
  const { view, log } = evidence
  const { journals, workflow } = view
  const errors = log.map((line) => (belongsTo(line, workflow.id) ? lineFault(line, new Set([workflow.id])) : null))
  return [
    ...endFaults(evidence),
    ...journals.flatMap(readingFaults),
    ...journals.flatMap((journal) => lawFaults(journal.lifecycle())),
    ...scenarioSteps.flatMap(({ id }) => outputFaults(evidence, id)),
    ...scenarioSteps.flatMap(({ id }) => repetitionFaults(evidence, id)),
    ...ledgerFaults(evidence),
    ...leftFaults(evidence),
    ...errors.filter((fault) => fault !== null),
  ]
}

/** Of earlier workflows on the same database it was judged when they had ended. */
function belongsTo(line: Evidence['log'][number], id: string): boolean {
  return line['workflow_id'] === undefined || line['workflow_id'] === id
}

function endFaults({ view: { workflow } }: Evidence): readonly string[] {
  const steps = workflow.steps.filter(({ status }) => status !== 'completed')
  const ends = steps.map(({ id, status }) => `${id} is ${status}`)
  return workflow.status === 'completed' ? ends : [`the workflow is ${workflow.status}`, ...ends]
}

function readingFaults(journal: EventJournal): readonly string[] {
  const events = journal.lifecycle().map(({ type }) => type)
  const ownEvents = events.filter((type) => type.startsWith('workflow.')).join(' ')
  const ways = ownEvents === foretold.join(' ') ? [] : [`the workflow went another way: ${ownEvents}`]
  return [...journal.faults().filter((fault) => fault !== expectedFault), ...ways]
}

/** The log as a stranger reads it who knows the contract: numbers, attempts, states, ends. */
function lawFaults(events: readonly WireEvent[]): readonly string[] {
  const steps = definitions.map((definition) => ({ definition }))
  const ledger = new EventLedger({ steps } as unknown as WorkflowState, { maxRevisions: 3 })
  const known = new Map<string, unknown>()
  try {
    for (const event of events) ledger.read(toStored(event, known))
    return []
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)]
  }
}

/** The error of the end is that of its step: the same one. */
function toStored(event: WireEvent, known: Map<string, unknown>): LifecycleEvent {
  const { type, seq = 0, step = null, attempt = null, ...data } = event
  const { at } = data as unknown as { readonly at: string }
  const text = JSON.stringify(event.error)
  const error = known.get(text) ?? event.error
  known.set(text, error)
  const common = { seq, step, attempt, at: Date.parse(at), correlationId: '' }
  return { ...common, type: type as LifecycleType, data: error === undefined ? data : { ...data, error } }
}

/** What is stored is what its last calls said, and what every reader has joined. */
function outputFaults({ view, calls, told }: Evidence, id: string): readonly string[] {
  const output = view.workflow.steps.find((step) => step.id === id)?.output
  const pieces = id === 'left' ? 2 : 1
  const said = calls.filter((call) => stepOfCall(call) === id).slice(-pieces)
  const readers = view.journals.map((journal) => journal.kept()[id])
  return [
    ...(output === said.map(told).join('') ? [] : [`the output of ${id} is not what its last call said`]),
    ...(readers.every((text) => text === output) ? [] : [`a reader has another output of ${id}`]),
  ]
}

/** Completed once; and not asked for any more once that, or that it waits, could be read. */
function repetitionFaults(evidence: Evidence, id: string): readonly string[] {
  const { view, calls, callsWhenKept, callsWhenRejected } = evidence
  const lifecycle = view.journals[0]?.lifecycle() ?? []
  const completions = lifecycle.filter(({ type, step }) => type === 'step.completed' && step === id)
  const kept = [...callsWhenKept].filter(([key]) => key.startsWith(`${id}@`)).map(([, count]) => count)
  const late = calls.filter((call) => {
    const { index } = call
    if (stepOfCall(call) !== id) return false
    const isAfterLast = index >= (kept.at(-1) ?? 0)
    const isWhileWaiting = id === 'draft' && index >= (kept[0] ?? 0) && index < callsWhenRejected
    return isAfterLast || isWhileWaiting
  })
  return [
    ...(completions.length === 1 ? [] : [`${id} was completed ${completions.length} times`]),
    ...late.map(({ index }) => `call ${index} asks for ${id}, which was read as final before`),
  ]
}

function ledgerFaults({ view: { workflow }, calls, deaths }: Evidence): readonly string[] {
  const counted = workflow.usage.llm_calls
  const isRight = counted >= calls.length && counted <= calls.length + mostAtOnce * deaths
  return isRight ? [] : [`${counted} calls are counted, ${calls.length} were made`]
}

function leftFaults({ found, workflows }: Evidence): readonly string[] {
  const { liveJobs, active, openAttempts } = found
  const left = { 'live jobs': liveJobs, 'active workflows': active, 'open attempts': openAttempts }
  const faults = Object.entries(left).flatMap(([name, count]) => (count === 0 ? [] : [`${count} ${name} are left`]))
  return found.workflows === workflows ? faults : [...faults, `there are ${found.workflows} workflows`]
}
