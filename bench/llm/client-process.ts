import { openAi } from '../peers/ai-client.ts'
import type { ClientName, OpenBenchClient } from './bench-client.ts'
import { measure, type Sample, type Window } from './measure.ts'

/** What a process with a client under test is told, as JSON in its first argument. */
export interface ClientTask {
  readonly client: ClientName
  readonly baseUrl: string
  /** Measured one after the other; what came before warms up what follows. */
  readonly windows: readonly Window[]
}

/** What it tells. */
export type ClientResult = { readonly samples: readonly Sample[] } | { readonly failure: string }

async function opener(name: ClientName): Promise<OpenBenchClient> {
  switch (name) {
    case 'pipe':
      return (await import('./clients/byte-pipe.ts')).openBytePipe
    case 'ours':
      return (await import('./clients/ours.ts')).openOurs
    case 'sdk':
      return (await import('./clients/sdk.ts')).openSdk
    case 'sdk-request':
      return (await import('./clients/sdk.ts')).openSdkOverRequest
    case 'ai':
      return openAi
    default:
      return name satisfies never
  }
}

async function run({ client: name, baseUrl, windows }: ClientTask): Promise<ClientResult> {
  try {
    const open = await opener(name)
    const client = await open(baseUrl)
    const samples: Sample[] = []
    for (const window of windows) samples.push(await measure(client, window))
    await client.close()
    return { samples }
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) }
  }
}

// the parent decides what Ctrl-C means; it may also be gone without a word
process.on('SIGINT', () => {})
process.once('disconnect', () => process.exit())
const result = await run(JSON.parse(process.argv[2] ?? '') as ClientTask)
process.send?.(result, () => process.exit())
