import { list, tally } from '../chaos/report.ts'
import type { Check } from '../chaos/verdict.ts'
import { eventsOf } from './evidence.ts'
import type { Evidence, WorkflowEvidence } from './evidence.ts'
import { writeHistory } from './history.ts'
import type { History } from './history.ts'

const mostWorkflowsShown = 3

/** How much happened, in two lines. */
export function summaryOf({ workflows }: Evidence, history: History): string {
  const readers = workflows.flatMap((workflow) => workflow.readers)
  const connections = readers.reduce((sum, reader) => sum + reader.connections(), 0)
  const calls = workflows.reduce((sum, workflow) => sum + workflow.calls.length, 0)
  const verbs = workflows.flatMap(({ tracked }) => tracked.verbs())
  const accepted = verbs.filter(({ status }) => status === 202).length
  const strikes = history.entries().flatMap(({ text }) => /(?<=nemesis: )\w+|SIG\w+$/.exec(text) ?? [])
  const seconds = Math.round(history.now() / 1000)
  return [
    `${workflows.length} workflows, ${calls} calls`,
    `${verbs.length} verbs of which ${accepted} accepted`,
    `${readers.length} readers over ${connections} connections, ${seconds} s\n${list(tally(strikes))}\n`,
  ].join(', ')
}

/** What happened, to all and to the first few workflows that the faults name. */
export function describeRun({ workflows }: Evidence, checks: readonly Check[], history: History): string {
  const named =
    checks
      .flatMap(({ faults }) => faults)
      .join('\n')
      .match(/wf_\w+(?:-\w+)*/g) ?? []
  const ids = new Set([...new Set(named)].slice(0, mostWorkflowsShown))
  const concerned = workflows.filter(({ tracked }) => ids.has(tracked.id))
  return `${writeHistory(history, ids)}${concerned.map(describeWorkflow).join('')}`
}

function describeWorkflow({ tracked, workflow, log, calls }: WorkflowEvidence): string {
  const { number, steps } = tracked.assignment
  const plan = steps.map(({ id, dependsOn, approval, tolerated }) => {
    return `${id}(${dependsOn.join()})${approval ? ' gate' : ''}${tolerated ? ' tolerated' : ''}`
  })
  const events = eventsOf(log).map((event) => {
    const { at } = event as unknown as { readonly at: string }
    const { seq = 0, type, step = '', attempt = '', error } = event
    const read = tracked.callsWhenRead().get(seq)
    return `  ${seq} ${at} ${type} ${step}${attempt === '' ? '' : `@${attempt}`} ${error?.code ?? ''} (after ${read} calls)\n`
  })
  const asked = calls.map(({ index, step, isContinuation }) => `${index}:${step}${isContinuation ? '+' : ''}`)
  return [
    `\n${tracked.id}, assignment ${number}: ${plan.join(', ')}; ${workflow.usage.llm_calls} calls counted\n`,
    ...events,
    `  calls ${asked.join(' ')}\n`,
  ].join('')
}
