import { measure, type Plan, type Sample } from './measure.ts'
import type { Site } from './site.ts'

/** What the process of the readers is told, as JSON in its first argument. */
export interface ClientTask {
  readonly site: Site
  readonly plan: Plan
}

/** What it tells. */
export type ClientResult = { readonly sample: Sample } | { readonly failure: string }

async function run({ site, plan }: ClientTask): Promise<ClientResult> {
  try {
    return { sample: await measure(site, plan) }
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) }
  }
}

// the parent decides what Ctrl-C means; it may also be gone without a word
process.on('SIGINT', () => {})
process.once('disconnect', () => process.exit())
const result = await run(JSON.parse(process.argv[2] ?? '') as ClientTask)
process.send?.(result, () => process.exit())
