import { check } from '../chaos/verdict.ts'
import type { Check } from '../chaos/verdict.ts'
import { eventsOf } from './evidence.ts'
import type { Evidence, WorkflowEvidence } from './evidence.ts'
import type { JournalledCall } from './faulty-model.ts'
import type { SeenEvent, TrackedWorkflow } from './tracked-workflow.ts'

/** What was asked of the model, beside what came of it and what is counted. */
export function checkCalls({ workflows }: Evidence): readonly Check[] {
  const kept = workflows.flatMap((workflow) =>
    workflow.steps.flatMap(({ id, attempts }) =>
      attempts
        .filter(({ status }) => status === 'kept')
        .map(({ attempt, output }) => ({ workflow, id, attempt, output })),
    ),
  )
  const calm = workflows.filter(({ disturbed }) => !disturbed)
  return [
    check('a kept text is what whole calls have said', kept, ({ workflow, id, attempt, output }) => {
      const isTrue = isTold(output ?? '', callsOf(workflow, id), isIncomplete(workflow, id, attempt))
      return isTrue ? null : `${workflow.tracked.id}: ${id}@${attempt} is not what its calls said`
    }),
    check('no call for a step whose result could be read', workflows, lateCall),
    check('no call is missing in the ledger', workflows, ({ tracked, workflow, calls }) => {
      const counted = workflow.usage.llm_calls
      return counted >= calls.length ? null : `${tracked.id}: ${counted} counted, ${calls.length} made`
    }),
    check(
      'nor is there one too many where nothing was killed, refused or cut',
      calm,
      ({ tracked, workflow, calls }) => {
        const counted = workflow.usage.llm_calls
        return counted === calls.length ? null : `${tracked.id}: ${counted} counted, ${calls.length} made`
      },
    ),
  ]
}

/** Its text is all that was delivered, whole or not. */
function isIncomplete({ log }: WorkflowEvidence, id: string, attempt: number): boolean {
  return eventsOf(log).some((event) => {
    return event.type === 'step.incomplete' && event.step === id && event.attempt === attempt
  })
}

function callsOf({ calls }: WorkflowEvidence, step: string): readonly JournalledCall[] {
  return calls.filter((call) => call.step === step)
}

/** One answer, or one that was too long and those that went on with it; the last may have broken off if it may be cut. */
function isTold(text: string, calls: readonly JournalledCall[], mayBeCut: boolean): boolean {
  return calls.some(({ said, isWhole, isLong }, at) => {
    if (text.length <= said.length) return said.startsWith(text) && (mayBeCut || (isWhole && said === text && !isLong))
    return isWhole && isLong && text.startsWith(said) && isTold(text.slice(said.length), calls.slice(at + 1), mayBeCut)
  })
}

/** From when its text was read as final until somebody asked for another, a step must not be asked for. */
function lateCall(workflow: WorkflowEvidence): string | null {
  const { tracked, log, calls } = workflow
  const events = eventsOf(log)
  const results = events.filter(({ type }) => type === 'step.completed' || type === 'step.waiting')
  for (const { seq = 0, step, attempt } of results) {
    const from = tracked.callsWhenRead().get(seq) ?? Infinity
    const isRunAgain = events.some(
      (event) => event.type === 'step.started' && event.step === step && (event.seq ?? 0) > seq,
    )
    const until = isRunAgain ? reopenedAfter(tracked, events, seq) : Infinity
    const late = calls.find((call) => call.step === step && call.index >= from && call.index < until)
    if (late !== undefined)
      return `${tracked.id}: call ${late.index} is for ${step}@${attempt}, which was read as final`
  }
  return null
}

const reopening: ReadonlySet<string> = new Set(['reject', 'resume', 'rerun'])

/** Calls there had been when somebody may first have asked for a step again whose result is event `seq`. */
function reopenedAfter(tracked: TrackedWorkflow, events: readonly SeenEvent[], seq: number): number {
  // By what came of them: the result may be read for the first time long after it was asked for again.
  const later = new Set(events.filter((event) => (event.seq ?? 0) > seq).map((event) => event.correlation_id))
  const open = tracked.verbs().filter(({ verb, key }) => reopening.has(verb) && later.has(key))
  return Math.min(...open.map(({ sentAfter }) => sentAfter))
}
