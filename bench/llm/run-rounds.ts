import type { ClientName } from './bench-client.ts'
import { startChild } from '../child.ts'
import { rotated } from '../rotated.ts'
import type { ClientResult, ClientTask } from './client-process.ts'
import type { Sample, Window } from './measure.ts'
import type { BenchOptions } from './options.ts'

/** What one client spent in one round. */
export interface Measurement {
  readonly client: ClientName
  /** null when it was left out. */
  readonly flat: Sample | null
  readonly paced: Sample
}

/** What came of all rounds. */
export interface Rounds {
  readonly measurements: readonly Measurement[]
  /** Clients that could not be measured, and why; they are left out from then on. */
  readonly failures: ReadonlyMap<ClientName, string>
}

const startMs = 20_000
const slackMs = 30_000
const clientModule = new URL('./client-process.ts', import.meta.url)

/**
 * Measures every client once in each round, each time in a fresh process against the same server; who begins changes
 * from round to round. `progress` is told in words what goes on. Rejects when the signal aborts.
 */
export async function runRounds(
  options: BenchOptions,
  { signal, progress }: { readonly signal: AbortSignal; readonly progress: (line: string) => void },
): Promise<Rounds> {
  const { rate, streams } = options
  const measurements: Measurement[] = []
  const failures = new Map<ClientName, string>()
  const server = startChild(
    new URL('./server-process.ts', import.meta.url),
    { rate, streams },
    { limitMs: startMs, signal },
  )
  try {
    const { url } = (await server.told) as { readonly url: string }
    for (let round = 0; round < options.rounds; round += 1) {
      for (const client of rotated(options.clients, round)) {
        if (failures.has(client)) continue
        progress(`round ${round + 1} of ${options.rounds}: ${client}`)
        const task = { client, baseUrl: url, windows: windowsOf(options) }
        const result = await runClient(task, options, signal)
        signal.throwIfAborted()
        if ('failure' in result) failures.set(client, result.failure)
        else measurements.push(measurementOf(client, result.samples))
      }
    }
  } finally {
    await server.end()
  }
  return { measurements, failures }
}

// flat out first, which has the code compiled; the pace uses other parts of it, so it needs some time of its own
function windowsOf({ streams, seconds, flatSeconds }: BenchOptions): readonly Window[] {
  const flat: Window = { model: 'flat', streams, warmUpMs: 1_000, windowMs: flatSeconds * 1_000 }
  const paced: Window = { model: 'paced', streams, warmUpMs: 3_000, windowMs: seconds * 1_000 }
  return flatSeconds === 0 ? [paced] : [flat, paced]
}

async function runClient(task: ClientTask, options: BenchOptions, signal: AbortSignal): Promise<ClientResult> {
  const windowsMs = task.windows.reduce((sum, { warmUpMs, windowMs }) => sum + warmUpMs + windowMs, 0)
  const { profileDirectory } = options
  const execArgv = profileDirectory === null ? [] : profileFlags(profileDirectory, task.client)
  const child = startChild(clientModule, task, { limitMs: windowsMs + slackMs, signal, execArgv })
  try {
    return (await child.told) as ClientResult
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) }
  } finally {
    await child.end()
  }
}

function profileFlags(directory: string, client: ClientName): readonly string[] {
  return ['--cpu-prof', `--cpu-prof-dir=${directory}`, `--cpu-prof-name=${client}-${Date.now()}.cpuprofile`]
}

function measurementOf(client: ClientName, samples: readonly Sample[]): Measurement {
  const paced = samples.at(-1)
  if (paced === undefined) throw new Error(`${client} told no sample.`)
  return { client, paced, flat: samples.length > 1 ? (samples[0] ?? null) : null }
}
