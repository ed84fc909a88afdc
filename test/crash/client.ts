import { setTimeout as delay } from 'node:timers/promises'
import { pollToEnd, readStream } from '../smoke/event-connection.ts'
import { createEventJournal } from '../smoke/event-journal.ts'
import type { EventJournal, WireEvent } from '../smoke/event-journal.ts'
import { startBody } from './scenario.ts'

/** The workflow as far as it is looked at here. */
export interface SeenWorkflow {
  readonly id: string
  readonly status: string
  readonly correlation_id: string
  readonly usage: { readonly llm_calls: number }
  readonly steps: readonly {
    readonly id: string
    readonly status: string
    readonly attempt: number
    readonly output: string | null
  }[]
}

export interface ClientParts {
  /** Goes into the keys of its requests. */
  readonly name: string
  /** Address of whoever is there; throws when the time is over. */
  readonly url: () => string
  /** Resolves when somebody is there. */
  readonly up: () => Promise<void>
  /** Told of every event when it is first read by anybody. */
  readonly onEvent: (event: WireEvent) => void
  /** Told just before a rejection or a resume is sent. */
  readonly onVerb: (verb: 'reject' | 'resume') => void
}

/** What a client saw of the workflow that it led to its end. */
export interface ClientView {
  readonly workflow: SeenWorkflow
  /** One who reads the stream, and one who polls. */
  readonly journals: readonly EventJournal[]
}

const comeBackMs = 20

/** Starts the workflow, follows it, answers its gate twice, resumes it after its failure, and reads it to its end. */
export async function leadToEnd({ name, url, up, onEvent, onVerb }: ClientParts): Promise<ClientView> {
  const { id } = (await post(url, { path: '/workflows', body: startBody, key: `${name} start` })) as SeenWorkflow
  const path = `/workflows/${id}`
  const journals = [createEventJournal(), createEventJournal()] as const
  const [reader, poller] = journals.map((journal) => watched(journal, onEvent)) as [EventJournal, EventJournal]
  const events = () => `${url()}${path}/events`
  const readOn = () => Promise.all([readStreamToEnd(events, up, reader), pollToEnd(events, poller)])

  const failing = readOn()
  const gate = async (n: number) => {
    const open = journals[0].until((journal) => gatesOf(journal).length >= n)
    await Promise.race([open, failing.then(() => open)])
    return { path: `${path}/steps/draft`, attempt: gatesOf(journals[0])[n - 1]?.attempt }
  }
  const first = await gate(1)
  onVerb('reject')
  const refusal = { attempt: first.attempt, feedback: 'Say it better.' }
  await post(url, { path: `${first.path}/reject`, body: refusal, key: `${name} reject` })
  const second = await gate(2)
  await post(url, { path: `${second.path}/approve`, body: { attempt: second.attempt }, key: `${name} approve` })
  await failing
  onVerb('resume')
  await post(url, { path: `${path}/resume`, body: {}, key: `${name} resume` })
  await readOn()
  return { workflow: (await ask(url, { path })) as SeenWorkflow, journals }
}

/** Over as many connections as it takes, each from where the journal is. */
async function readStreamToEnd(url: () => string, up: () => Promise<void>, journal: EventJournal): Promise<void> {
  for (;;) {
    const connection = await readStream(url(), journal).catch(() => null)
    if (connection?.end === 'clean' && connection.status <= 204) return
    if (connection !== null && connection.status !== 200) throw new Error(`the stream answered ${connection.status}`)
    await delay(comeBackMs)
    await up()
  }
}

function gatesOf(journal: EventJournal): readonly WireEvent[] {
  return journal.lifecycle().filter(({ type }) => type === 'step.waiting')
}

function watched(journal: EventJournal, onEvent: ClientParts['onEvent']): EventJournal {
  return {
    ...journal,
    take(event, id) {
      onEvent(event)
      journal.take(event, id)
    },
  }
}

interface Asking {
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly init?: Omit<RequestInit, 'headers'>
}

function post(
  url: () => string,
  { path, body, key }: { readonly path: string; readonly body: object; readonly key: string },
): Promise<unknown> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': key }
  return ask(url, { path, headers, init: { method: 'POST', body: JSON.stringify(body) } })
}

/** Asks until somebody answers: who repeats a verb whose answer was lost must not be told of a conflict. */
async function ask(url: () => string, { path, headers = {}, init = {} }: Asking): Promise<unknown> {
  for (;;) {
    const answer = await fetch(`${url()}${path}`, {
      ...init,
      headers: { connection: 'close', ...headers },
    }).catch(() => null)
    const text = await answer?.text().catch(() => null)
    if (answer?.ok === true && typeof text === 'string') return JSON.parse(text)
    if (answer !== null && !answer.ok && answer.status !== 503) throw new Error(`${path}: ${answer.status} ${text}`)
    await delay(comeBackMs)
  }
}
