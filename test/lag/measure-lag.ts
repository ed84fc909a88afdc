import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

import { readToEnd } from '../smoke/event-connection.ts'
import { createEventJournal } from '../smoke/event-journal.ts'
import type { EventJournal } from '../smoke/event-journal.ts'
import type { ProcessCluster, ProcessReplica } from '../support/process-cluster.ts'
import { startTalk } from './start-talk.ts'

export interface LagOptions {
  readonly streams: number
  readonly tokensPerSecond: number
  readonly seconds: number
  /** Of each stream, on each of the two replicas. */
  readonly readers: number
}

export interface Lags {
  /** Of each token, from when the model sent it until a reader had it, in milliseconds. */
  readonly lagsMs: readonly number[]
  /** Processor time of the replica that was read from, from the first token to the last. */
  readonly cpuMs: number
}

// What was sent before the first announcement was heard does not count.
const warmUpTokens = 50

/** When each token of one stream was sent. */
type Sent = (number | undefined)[]

/** One replica runs all streams; readers read each of them there and on another one. */
export async function measureLag(
  site: ProcessCluster,
  options: LagOptions,
): Promise<{ readonly local: Lags; readonly far: Lags }> {
  const sent = Array.from({ length: options.streams }, (): Sent => [])
  const begin = Promise.withResolvers<void>()
  talk(site, { ...options, sent, begun: begin.promise })
  const most = {
    MAX_CONCURRENT_AGENTS: String(options.streams + 1),
    MAX_CONCURRENT_WORKFLOWS: String(options.streams + 1),
  }
  const runner = await site.start(most)
  const ids = await Promise.all(sent.map((_sent, n) => startTalk(runner, `Say stream <s${n}>.`)))
  await site.model.called(options.streams)
  const other = await site.start()
  const lags = { local: [] as number[], far: [] as number[] }
  const reading = ids.flatMap((id, n) =>
    Array.from({ length: options.readers }, () => [
      readToEnd(() => `${runner.url}/workflows/${id}/events`, timed(sent[n] ?? [], lags.local)),
      readToEnd(() => `${other.url}/workflows/${id}/events`, timed(sent[n] ?? [], lags.far)),
    ]).flat(),
  )
  const before = [await cpuMsOf(runner), await cpuMsOf(other)]
  begin.resolve()
  await Promise.all(reading)
  return {
    local: { lagsMs: lags.local, cpuMs: (await cpuMsOf(runner)) - (before[0] ?? 0) },
    far: { lagsMs: lags.far, cpuMs: (await cpuMsOf(other)) - (before[1] ?? 0) },
  }
}

interface Talk extends LagOptions {
  readonly sent: readonly Sent[]
  readonly begun: Promise<void>
}

function talk(site: ProcessCluster, { sent, begun, tokensPerSecond, seconds }: Talk): void {
  const chunks = Array.from({ length: tokensPerSecond * seconds + warmUpTokens }, (_, n) => `${n};`)
  site.model.answerWith(({ user }) => {
    const times = sent[Number(/<s(\d+)>/.exec(user)?.[1])] ?? []
    let startedAt = 0
    return {
      text: chunks.join(''),
      chunks,
      before: async (n) => {
        await begun
        if (n === 0) startedAt = performance.now() + Math.random() * 100
        await sleep(Math.max(0, startedAt + (n * 1000) / tokensPerSecond - performance.now()))
        times[n] = performance.now()
      },
    }
  })
}

/** A journal that notes how old each token is when it comes. */
function timed(sent: Sent, lagsMs: number[]): EventJournal {
  const journal = createEventJournal()
  let rest = ''
  return {
    ...journal,
    take(event, id) {
      const now = performance.now()
      journal.take(event, id)
      if (event.type !== 'step.delta') return
      const tokens = (rest + (event.text ?? '')).split(';')
      rest = tokens.pop() ?? ''
      for (const token of tokens) {
        const sentAt = sent[Number(token)]
        if (Number(token) >= warmUpTokens && sentAt !== undefined) lagsMs.push(now - sentAt)
      }
    },
  }
}

// Linux counts in hundredths of a second; the name of the program may hold spaces.
async function cpuMsOf({ pid }: ProcessReplica): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /, '').split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}
