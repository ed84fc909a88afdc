import { setTimeout as delay } from 'node:timers/promises'
import type { Pick } from '../nemesis/cluster.ts'
import { readStream } from '../smoke/event-connection.ts'
import { createEventJournal, type EventJournal } from '../smoke/event-journal.ts'
import { openStream } from '../support/stream-client.ts'
import type { Fleet } from './fleet.ts'

/** How readers went so far. */
export interface ReaderCounts {
  connections: number
  /** Left in the middle of a frame or after some time. */
  cuts: number
  /** Took nothing for some time and then vanished. */
  kills: number
}

export interface ReaderParts {
  readonly fleet: Fleet
  readonly pick: Pick
  readonly counts: ReaderCounts
}

const [fewestBytes, mostBytes] = [60, 20_000]
const [shortestStayMs, longestStayMs] = [500, 15_000]
const [shortestStallMs, longestStallMs] = [200, 3_000]
const pauseMs = 20

/** Reads a workflow from its beginning to its end, over many connections to any replica; resolves with what it saw. */
export async function readOverCuts(parts: ReaderParts, id: string): Promise<EventJournal> {
  const journal = createEventJournal()
  for (;;) {
    const url = `${await parts.fleet.anyUrl(parts.pick)}/workflows/${id}/events`
    parts.counts.connections += 1
    if (parts.pick(1, 10) === 1) await stallAndVanish(parts, url)
    else if (await readOnce(parts, url, journal)) return journal
    await delay(pauseMs)
  }
}

/** true: it came to the clean end. */
async function readOnce({ pick, counts }: ReaderParts, url: string, journal: EventJournal): Promise<boolean> {
  const way = pick(1, 3)
  const limits = {
    ...(way === 1 ? { cutAfterBytes: pick(fewestBytes, mostBytes) } : {}),
    ...(way === 2 ? { signal: AbortSignal.timeout(pick(shortestStayMs, longestStayMs)) } : {}),
  }
  const connection = await readStream(url, journal, limits).catch(() => null)
  if (connection === null) return false
  if (connection.status !== 200 && connection.status !== 204) throw new Error(`A stream answered ${connection.status}.`)
  if (connection.end === 'cut') counts.cuts += 1
  return connection.end === 'clean'
}

async function stallAndVanish({ pick, counts }: ReaderParts, url: string): Promise<void> {
  counts.kills += 1
  const stream = await openStream(url, { paused: true }).catch(() => null)
  await delay(pick(shortestStallMs, longestStallMs))
  stream?.destroy()
}
