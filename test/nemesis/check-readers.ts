import { check } from '../chaos/verdict.ts'
import type { Check } from '../chaos/verdict.ts'
import type { EventJournal } from '../smoke/event-journal.ts'
import { eventsOf } from './evidence.ts'
import type { Evidence, WorkflowEvidence } from './evidence.ts'

/** What one who reads over revivals, reruns and edits sees, and one who reads a single run must not; judged elsewhere. */
const elsewhere = [/^workflow\.resumed after the end$/, / was completed twice$/, /^the output of /]

/** What readers saw must be what is stored: every event, and every text that was kept. */
export function checkReaders({ workflows }: Evidence): readonly Check[] {
  const readings = workflows.flatMap((workflow) => [
    ...workflow.readers.map(({ name, journal }) => ({ workflow, name, journal })),
    { workflow, name: 'the last reader', journal: workflow.log },
  ])
  return [
    check('no event is missing, doubled or out of order', readings, ({ workflow, name, journal }) => {
      const faults = journal.faults().filter((fault) => !elsewhere.some((known) => known.test(fault)))
      return faults.length === 0 ? null : `${workflow.tracked.id}, ${name}: ${faults.slice(0, 3).join('; ')}`
    }),
    check('all readers have the same events', readings, ({ workflow, name, journal }) => {
      const at = firstDifference(journal, workflow.log)
      return at === null ? null : `${workflow.tracked.id}, ${name}: another event at ${at}`
    }),
    check('joined texts are the stored outputs', readings, ({ workflow, name, journal }) => {
      const fault = textFault(workflow, journal)
      return fault === null ? null : `${workflow.tracked.id}, ${name}: ${fault}`
    }),
  ]
}

function firstDifference(journal: EventJournal, log: EventJournal): number | null {
  const [seen, stored] = [eventsOf(journal), eventsOf(log)]
  const at = Array.from({ length: Math.max(seen.length, stored.length) }, (_, index) => index).find(
    (index) => JSON.stringify(seen[index]) !== JSON.stringify(stored[index]),
  )
  return at === undefined ? null : at + 1
}

function textFault({ steps, workflow, log }: WorkflowEvidence, journal: EventJournal): string | null {
  for (const { id, attempts } of steps) {
    for (const { attempt, status, output } of attempts) {
      if (status !== 'kept') continue
      const text = journal.text(id, attempt)
      if (text !== output) return `${id}@${attempt}: ${text.length} characters of ${output?.length}`
    }
  }
  return toldFault(log, steps) ?? resultFault(workflow, log)
}

/** An event that tells a text tells the one that was kept, unless somebody has edited it. */
function toldFault(log: EventJournal, steps: WorkflowEvidence['steps']): string | null {
  const told = eventsOf(log).filter(({ output, edited }) => output !== undefined && edited !== true)
  const wrong = told.find(({ step, attempt, output }) => {
    const kept = steps.find(({ id }) => id === step)?.attempts.find((one) => one.attempt === attempt)
    return kept?.output !== output
  })
  return wrong === undefined ? null : `${wrong.seq} ${wrong.type} tells another output`
}

/** What a step shows is what was told last of it. */
function resultFault({ steps }: WorkflowEvidence['workflow'], log: EventJournal): string | null {
  for (const { id, status, output } of steps) {
    if (status !== 'completed') continue
    const last = eventsOf(log).findLast(({ type, step }) => type === 'step.completed' && step === id)
    if (last?.output !== output) return `the output of ${id} is not what its last step.completed told`
  }
  return null
}
