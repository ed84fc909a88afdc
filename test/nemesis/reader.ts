import { setTimeout as delay } from 'node:timers/promises'
import { pollToEnd, readStream } from '../smoke/event-connection.ts'
import { createEventJournal } from '../smoke/event-journal.ts'
import type { EventJournal, WireEvent } from '../smoke/event-journal.ts'
import type { Pick } from './cluster.ts'
import type { ClientParts } from './request.ts'
import type { TrackedWorkflow } from './tracked-workflow.ts'

/** One who reads a workflow from its beginning, over many connections. */
export interface Reader {
  /** For the reports. */
  readonly name: string
  readonly workflow: string
  readonly journal: EventJournal
  connections(): number
  /** Reads what there still is; only for when nothing changes any more. */
  finish(): Promise<void>
}

export interface ReaderParts extends ClientParts {
  /** Aborted when nothing changes any more. */
  readonly settled: AbortSignal
}

/** What a reader is called, and how it decides when to leave and where to go. */
export interface ReaderWay {
  readonly name: string
  readonly pick: Pick
}

const [shortestStayMs, longestStayMs] = [300, 5000]
const [fewestBytes, mostBytes] = [60, 8000]
const lookMs = 100
const patienceMs = 10_000

/** Starts a reader that leaves, or is left, at any moment and comes back to any replica. */
export function startReader(parts: ReaderParts, tracked: TrackedWorkflow, { name, pick }: ReaderWay): Reader {
  const { cluster, stop, settled, onFault } = parts
  const journal = watched(createEventJournal(), (event) => tracked.take(event))
  let connections = 0

  const connect = async (limits: { readonly cutAfterBytes?: number; readonly stayMs: number }) => {
    connections += 1
    const url = await cluster.anyUrl(pick)
    const signal = AbortSignal.any([AbortSignal.timeout(limits.stayMs), stop])
    const bytes = limits.cutAfterBytes === undefined ? {} : { cutAfterBytes: limits.cutAfterBytes }
    const connection = await readStream(`${url}/workflows/${tracked.id}/events`, journal, { ...bytes, signal }).catch(
      () => null,
    )
    const { status = 200, end = 'broken' } = connection ?? {}
    if (status !== 200 && status !== 204) {
      onFault(`${name}: the stream answered ${status}`, tracked.id)
      await delay(patienceMs, undefined, { signal: settled }).catch(() => undefined)
    }
    return end === 'clean' && status <= 204
  }
  const follow = async (): Promise<void> => {
    while (!settled.aborted && !stop.aborted) {
      const stayMs = pick(shortestStayMs, longestStayMs)
      const cut = pick(1, 2) === 1 ? { cutAfterBytes: pick(fewestBytes, mostBytes) } : {}
      const isAtEnd = await connect({ ...cut, stayMs })
      // it may go on after an end: somebody resumes it
      while (isAtEnd && tracked.hasEnded() && !settled.aborted && !stop.aborted) await delay(lookMs)
      await delay(pick(0, 40))
    }
  }
  const following = follow()
  following.catch(() => undefined)
  return {
    name,
    workflow: tracked.id,
    journal,
    connections: () => connections,
    async finish() {
      await following
      while (!(await connect({ stayMs: patienceMs }))) await delay(lookMs)
    },
  }
}

/** One that asks for pages of events instead, from the beginning to the end of one that has ended. */
export async function readByPages(parts: ClientParts, id: string, pick: Pick): Promise<EventJournal> {
  const journal = createEventJournal()
  const url = await parts.cluster.anyUrl(pick)
  await pollToEnd(
    () => `${url}/workflows/${id}/events`,
    journal,
    () => parts.stop.throwIfAborted(),
  )
  return journal
}

function watched(journal: EventJournal, onEvent: (event: WireEvent) => void): EventJournal {
  return {
    ...journal,
    take(event, id) {
      journal.take(event, id)
      if (event.seq !== undefined) onEvent(event)
    },
  }
}
