import type { WireEvent } from '../smoke/event-journal.ts'
import type { SeenCall } from '../support/fault-answers.ts'
import type { ModelServerDouble } from '../support/fault-server.ts'
import type { LogLine } from '../support/service-process.ts'
import { leadToEnd } from './client.ts'
import type { ClientView } from './client.ts'
import type { Inspection, Replicas } from './replicas.ts'
import { createScriptedAnswers } from './scenario.ts'
import type { ScriptedAnswers } from './scenario.ts'

/** Where a case runs. */
export interface CasePlace {
  readonly replicas: Replicas
  readonly model: ModelServerDouble
  /** How many cases were there before. */
  readonly index: number
  /** The process that is to die first, from 0. */
  readonly process: number
  /** Aborted when its time is over. */
  readonly signal: AbortSignal
  /** Told what happens, for whoever looks into a fault. */
  readonly onMoment: (what: string) => void
}

/** What one workflow has left behind. */
export interface Evidence {
  readonly view: ClientView
  /** Calls that the model had for it, in order. */
  readonly calls: readonly SeenCall[]
  readonly told: ScriptedAnswers['told']
  /** Calls of all time when a text was first read as final, by `step@attempt`. */
  readonly callsWhenKept: ReadonlyMap<string, number>
  /** The same when the rejection was sent. */
  readonly callsWhenRejected: number
  readonly found: Inspection
  /** Workflows that there should be. */
  readonly workflows: number
  readonly log: readonly LogLine[]
  /** How many processes were to die. */
  readonly deaths: number
}

/** Leads one workflow to its end through the death of its processes; those that have not died by then are replaced. */
export async function runCase({ replicas, model, index, process, ...place }: CasePlace): Promise<Evidence> {
  const script = createScriptedAnswers()
  const before = model.calls.length
  model.answerWith((call) => script.answer(call))
  const callsWhenKept = new Map<string, number>()
  let callsWhenRejected = 0

  const onEvent = ({ type, seq, step = '', attempt = 0 }: WireEvent): void => {
    const key = `${step}@${attempt}`
    if (seq !== undefined) place.onMoment(`${seq} ${type} ${key}`)
    const isKept = type === 'step.completed' || type === 'step.waiting'
    if (isKept && !callsWhenKept.has(key)) callsWhenKept.set(key, model.calls.length)
  }
  const onVerb = (verb: 'reject' | 'resume'): void => {
    place.onMoment(verb)
    if (verb === 'reject') callsWhenRejected = model.calls.length
    else script.relent()
  }
  const url = (): string => {
    place.signal.throwIfAborted()
    return replicas.url()
  }
  const view = await leadToEnd({ name: `case ${index}`, url, up: replicas.up, onEvent, onVerb })
  let last = process
  do {
    await replicas.replace(last)
    last += 1
  } while (replicas.pointOf(last)?.phase === 'recovery')
  const found = await replicas.inspect(last)
  const calls = model.calls.slice(before)
  const seen = { callsWhenKept, callsWhenRejected, found, log: replicas.log() }
  return { view, calls, told: script.told, ...seen, workflows: index + 1, deaths: last - process }
}
