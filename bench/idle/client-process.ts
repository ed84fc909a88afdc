import { type CpuSample, type IdleTask, measureCpu, measureMemory, type MemorySample } from './measure.ts'

/** What the process of the readers tells. */
export type IdleResult = { readonly cpu: CpuSample } | { readonly memory: MemorySample } | { readonly failure: string }

async function run(task: IdleTask): Promise<IdleResult> {
  try {
    return task.what === 'cpu' ? { cpu: await measureCpu(task) } : { memory: await measureMemory(task) }
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) }
  }
}

// the parent decides what Ctrl-C means; it may also be gone without a word
process.on('SIGINT', () => {})
process.once('disconnect', () => process.exit())
const result = await run(JSON.parse(process.argv[2] ?? '') as IdleTask)
process.send?.(result, () => process.exit())
