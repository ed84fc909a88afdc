import { type AnswerKind, requestFor } from './contender.ts'
import { type CpuLook, lookAt } from './cpu-look.ts'
import { arrivalMark, elapsed, stampAt, stampNow, tokenMark } from './marks.ts'
import type { Site } from './site.ts'
import { openTokenStream, type TokenStream } from './token-stream.ts'

/** How it is measured. */
export interface Plan {
  readonly streams: number
  readonly flatTokens: number
  readonly probes: number
  readonly warmUpMs: number
  readonly windowMs: number
}

/** CPU spent for so many tokens. */
export interface Spent {
  readonly tokens: number
  readonly seconds: number
  readonly cpuMs: number
  /** The database's part: its own processes, or the thread in which it is embedded, which `cpuMs` contains. */
  readonly databaseMs: number
}

/** What was seen of one contender in one round. Times are in milliseconds. */
export interface Sample {
  /** From the POST to its request at the model server. */
  readonly toModel: readonly number[]
  /** From the model server's first token to the reader. */
  readonly firstToken: readonly number[]
  readonly flat: Spent
  readonly paced: Spent
  /** From the model server to the reader, of each token of the paced window. */
  readonly latencies: readonly number[]
}

const warmUpProbes = 10
const limitMs = 20_000

/** One after the other: single requests, streams as fast as possible, streams at a pace. */
export async function measure(site: Site, plan: Plan): Promise<Sample> {
  await probe(site, warmUpProbes)
  const probes = await probe(site, plan.probes)
  // the first time compiles the code
  await readFlat(site, plan)
  const flat = await readFlat(site, plan)
  return { ...probes, flat, ...(await readPaced(site, plan)) }
}

function ask(site: Site, kind: AnswerKind, onTokens: (count: number, event: string, readAt: number) => void) {
  return openTokenStream(site.url, requestFor(site.contender, kind, site.modelUrl), { onTokens })
}

async function probe(site: Site, count: number): Promise<Pick<Sample, 'toModel' | 'firstToken'>> {
  const toModel: number[] = []
  const firstToken: number[] = []
  for (let done = 0; done < count; done += 1) {
    const askedAt = stampNow()
    await ask(site, 'probe', (_, event, readAt) => {
      const arrival = stampAt(event, event.indexOf(arrivalMark) + 1)
      const sent = stampAt(event, event.indexOf(tokenMark) + 1)
      if (arrival === null || sent === null) return
      toModel.push(elapsed(askedAt, arrival) / 1_000)
      firstToken.push(elapsed(sent, readAt) / 1_000)
    }).ended
  }
  if (toModel.length !== count) throw new Error(`${count} probes brought ${toModel.length} first tokens.`)
  return { toModel, firstToken }
}

async function readFlat(site: Site, { streams, flatTokens }: Plan): Promise<Spent> {
  let tokens = 0
  const begun = lookAt(site)
  const open = Array.from({ length: streams }, () => ask(site, 'flat', (count) => void (tokens += count)))
  await within(Promise.all(open.map(({ ended }) => ended)))
  const ended = lookAt(site)
  if (tokens !== streams * flatTokens) throw new Error(`${tokens} tokens came, not ${streams * flatTokens}.`)
  return spentBetween(begun, ended, tokens)
}

async function readPaced(site: Site, plan: Plan): Promise<Pick<Sample, 'paced' | 'latencies'>> {
  const seen = { tokens: 0, latencies: null as number[] | null, streams: new Set<number>() }
  const everyoneReads = Promise.withResolvers<void>()
  const open = Array.from({ length: plan.streams }, (_, index) =>
    ask(site, 'paced', (count, event, readAt) => {
      seen.tokens += count
      seen.streams.add(index)
      if (seen.streams.size === plan.streams) everyoneReads.resolve()
      if (seen.latencies !== null) takeLatencies(event, readAt, seen.latencies)
    }),
  )
  // none of them ends by itself
  const broken = Promise.race(open.map(({ ended }) => ended)).then(() => Promise.reject(new Error('A stream ended.')))
  broken.catch(() => undefined)
  try {
    await Promise.race([within(everyoneReads.promise), broken])
    await Promise.race([pause(plan.warmUpMs), broken])
    const [begun, before] = [lookAt(site), seen.tokens]
    const latencies: number[] = []
    seen.latencies = latencies
    await Promise.race([pause(plan.windowMs), broken])
    seen.latencies = null
    return { paced: spentBetween(begun, lookAt(site), seen.tokens - before), latencies }
  } finally {
    leaveAll(open)
  }
}

function takeLatencies(event: string, readAt: number, latencies: number[]): void {
  for (let at = event.indexOf(tokenMark); at >= 0; at = event.indexOf(tokenMark, at + 1)) {
    const sent = stampAt(event, at + 1)
    if (sent !== null) latencies.push(elapsed(sent, readAt) / 1_000)
  }
}

function leaveAll(open: readonly TokenStream[]): void {
  for (const stream of open) stream.leave()
}

function spentBetween(begun: CpuLook, ended: CpuLook, tokens: number): Spent {
  return {
    tokens,
    seconds: (ended.at - begun.at) / 1_000,
    cpuMs: ended.cpuMs - begun.cpuMs,
    databaseMs: ended.databaseMs - begun.databaseMs,
  }
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, durationMs))
}

async function within<Result>(work: Promise<Result>): Promise<Result> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`It took longer than ${limitMs / 1_000} s.`)), limitMs)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
