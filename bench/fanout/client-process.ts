import { type FanoutSample, type FanoutTask, measureFanout } from './measure.ts'

/** What the process of the readers tells. */
export type FanoutResult = { readonly samples: readonly FanoutSample[] } | { readonly failure: string }

async function run(task: FanoutTask): Promise<FanoutResult> {
  try {
    return { samples: await measureFanout(task) }
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) }
  }
}

// the parent decides what Ctrl-C means; it may also be gone without a word
process.on('SIGINT', () => {})
process.once('disconnect', () => process.exit())
const result = await run(JSON.parse(process.argv[2] ?? '') as FanoutTask)
process.send?.(result, () => process.exit())
