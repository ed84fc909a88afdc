/** What a replica said of itself at some moment. */
export interface FleetSample {
  readonly replica: string
  readonly pid: number
  /** Milliseconds since the soak began. */
  readonly atMs: number
  readonly residentBytes: number
  readonly heapBytes: number
  /** The 99th percentile since the last look, in milliseconds. */
  readonly loopDelayMs: number
  readonly openStreams: number
  /** What keeps the process awake, by kind: timers, sockets and the like. */
  readonly resources: Readonly<Record<string, number>>
}

const resource = /^nodejs_active_resources\{type="([^"]+)"\} (\S+)$/gm

/** Asks a replica; null when nobody answers. */
export async function takeSample(
  url: string,
  about: Pick<FleetSample, 'replica' | 'pid' | 'atMs'>,
): Promise<FleetSample | null> {
  const answer = await fetch(`${url}/metrics`, { headers: { connection: 'close' } }).catch(() => null)
  const text = await answer?.text().catch(() => '')
  if (text === undefined || text === '') return null
  return {
    ...about,
    residentBytes: figure(text, 'process_resident_memory_bytes'),
    heapBytes: figure(text, 'nodejs_heap_size_used_bytes'),
    loopDelayMs: 1_000 * figure(text, 'nodejs_eventloop_lag_p99_seconds'),
    openStreams: figure(text, 'sse_connections'),
    resources: Object.fromEntries([...text.matchAll(resource)].map(([, kind, count]) => [kind, Number(count)])),
  }
}

function figure(text: string, name: string): number {
  return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN)
}
