import { openPeer } from '../peers/engine-peers.ts'
import { type Contender, type ContenderName, type ContenderParts, isPeer, type OpenContender } from './contender.ts'
import { type Gauges, measure, type Sample, type Window } from './measure.ts'
import { outputText } from './output-text.ts'
import { openPostgresCounts } from './postgres-counts.ts'

/** What a process with a contender is told, as JSON in its first argument. */
export interface ContenderTask extends Omit<ContenderParts, 'output' | 'inFlight'> {
  readonly contender: ContenderName
  readonly outputBytes: number
  readonly databasePid: number | null
  /** Whether its statements are counted in `databaseUrl`. */
  readonly countsStatements: boolean
  /** Measured one after the other; what came before warms up what follows. */
  readonly windows: readonly Window[]
}

/** What it tells. */
export type ContenderResult = { readonly samples: readonly Sample[] } | { readonly failure: string }

async function opener(name: ContenderName): Promise<OpenContender> {
  if (isPeer(name)) return openPeer(name)
  const { openOurs } = await import('./contenders/ours.ts')
  return (parts) => openOurs(parts, { embedded: name === 'ours-pglite', prompts: name === 'ours-prompts' })
}

async function run(task: ContenderTask): Promise<ContenderResult> {
  try {
    const inFlight = Math.max(...task.windows.map((window) => window.inFlight))
    const open = await opener(task.contender)
    const contender = await open({ ...task, inFlight, output: outputText(task.outputBytes) })
    return { samples: await measureAll(contender, task) }
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) }
  }
}

async function measureAll(contender: Contender, task: ContenderTask): Promise<readonly Sample[]> {
  const counts = task.countsStatements ? await openPostgresCounts(task.databaseUrl) : null
  const gauges: Gauges = { counts: counts?.read ?? contender.counts ?? null, databasePid: task.databasePid }
  const samples: Sample[] = []
  for (const window of task.windows) samples.push(await measure(contender, window, gauges))
  await counts?.close()
  await contender.close()
  return samples
}

// the parent decides what Ctrl-C means; it may also be gone without a word
process.on('SIGINT', () => {})
process.once('disconnect', () => process.exit())
const result = await run(JSON.parse(process.argv[2] ?? '') as ContenderTask)
process.send?.(result, () => process.exit())
