import { pause } from '../pause.ts'
import { elapsed, stampAt, tokenMark } from '../relay/marks.ts'
import { openTokenStream, type TokenStream } from '../relay/token-stream.ts'
import { preciseMs } from '../thread-time.ts'

/** Whom to read, and with how many. */
export interface FanoutTask {
  readonly url: string
  readonly path: string
  readonly pid: number
  /** One after the other; what came before warms up what follows. */
  readonly readers: readonly number[]
  readonly windowMs: number
}

/** What was seen with so many readers. */
export interface FanoutSample {
  readonly readers: number
  /** Tokens, each counted as often as it was read. */
  readonly deliveries: number
  readonly cpuMs: number
  readonly seconds: number
  /** Milliseconds from the model server to the reader. */
  readonly latencies: readonly number[]
}

const settleMs = 1_000
const openingLimitMs = 15_000
const warmUpReaders = 100
const warmUpMs = 2_000

/** Looks at the process with each number of readers. */
export async function measureFanout(task: FanoutTask): Promise<readonly FanoutSample[]> {
  await measureOne({ ...task, windowMs: warmUpMs }, warmUpReaders)
  const samples: FanoutSample[] = []
  for (const readers of task.readers) samples.push(await measureOne(task, readers))
  return samples
}

async function measureOne({ url, path, pid, windowMs }: FanoutTask, readers: number): Promise<FanoutSample> {
  const seen = { deliveries: 0, latencies: null as number[] | null, begun: new Set<number>() }
  const everyoneReads = Promise.withResolvers<void>()
  const onTokens = (index: number) => (count: number, event: string, readAt: number) => {
    seen.deliveries += count
    seen.begun.add(index)
    if (seen.begun.size === readers) everyoneReads.resolve()
    const sent = stampAt(event, event.indexOf(tokenMark) + 1)
    if (sent !== null) seen.latencies?.push(elapsed(sent, readAt) / 1_000)
  }
  const open = Array.from({ length: readers }, (_, index) =>
    openTokenStream(url, { path, headers: accept }, { onTokens: onTokens(index) }),
  )
  const broken = Promise.race(open.map(({ ended }) => ended)).then(() => Promise.reject(new Error('A stream ended.')))
  broken.catch(() => undefined)
  try {
    // the first thing that a reader of this service gets is all that was said before
    await Promise.race([everyoneReads.promise, broken, pause(openingLimitMs).then(tooSlow)])
    await Promise.race([pause(settleMs), broken])
    const begun = { at: performance.now(), cpuMs: preciseMs(pid), deliveries: seen.deliveries }
    const latencies: number[] = []
    seen.latencies = latencies
    await Promise.race([pause(windowMs), broken])
    seen.latencies = null
    const seconds = (performance.now() - begun.at) / 1_000
    const cpuMs = preciseMs(pid) - begun.cpuMs
    return { readers, deliveries: seen.deliveries - begun.deliveries, cpuMs, seconds, latencies }
  } finally {
    leaveAll(open)
  }
}

function tooSlow(): never {
  throw new Error(`Not everybody got something within ${openingLimitMs / 1_000} s.`)
}

const accept = { accept: 'text/event-stream' }

function leaveAll(open: readonly TokenStream[]): void {
  for (const stream of open) stream.leave()
}
