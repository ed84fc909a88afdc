import { setTimeout as delay } from 'node:timers/promises'

/** What the service's process took; bytes and milliseconds. */
export interface ServiceFigures {
  readonly heapStart: number
  readonly heapPeak: number
  readonly heapEnd: number
  readonly memoryPeak: number
  /** Slowest answer of `/metrics`. */
  readonly slowestAnswerMs: number
}

interface Sample {
  readonly heap: number
  readonly memory: number
  readonly answerMs: number
}

const everyMs = 1000

/** Looks at `/metrics` every second until stopped. Rejects when it does not answer. */
export async function watchService(url: string, stop: AbortSignal): Promise<ServiceFigures> {
  const samples: Sample[] = []
  do {
    samples.push(await takeSample(url))
    await delay(everyMs, undefined, { signal: stop }).catch(() => undefined)
  } while (!stop.aborted)
  samples.push(await takeSample(url))
  return {
    heapStart: samples[0]?.heap ?? 0,
    heapPeak: Math.max(...samples.map(({ heap }) => heap)),
    heapEnd: samples.at(-1)?.heap ?? 0,
    memoryPeak: Math.max(...samples.map(({ memory }) => memory)),
    slowestAnswerMs: Math.max(...samples.map(({ answerMs }) => answerMs)),
  }
}

async function takeSample(url: string): Promise<Sample> {
  const since = performance.now()
  const text = await (await fetch(`${url}/metrics`)).text()
  const valueOf = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
  return {
    heap: valueOf('nodejs_heap_size_used_bytes'),
    memory: valueOf('process_resident_memory_bytes'),
    answerMs: performance.now() - since,
  }
}
