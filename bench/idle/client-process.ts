import { type IdleSample, type IdleTask, measureIdle } from './measure.ts'

/** What the process of the readers tells. */
export type IdleResult = { readonly sample: IdleSample } | { readonly failure: string }

async function run(task: IdleTask): Promise<IdleResult> {
  try {
    return { sample: await measureIdle(task) }
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) }
  }
}

// the parent decides what Ctrl-C means; it may also be gone without a word
process.on('SIGINT', () => {})
process.once('disconnect', () => process.exit())
const result = await run(JSON.parse(process.argv[2] ?? '') as IdleTask)
process.send?.(result, () => process.exit())
