import type { StartWorkflow } from '../../../src/workflows/requests.ts'
import type { WorkflowService } from '../../../src/workflows/service.ts'
import type { ContenderParts } from '../contender.ts'

const caller = { correlationId: 'bench', traceparent: null, idempotency: null }
const framesPerRead = 256
const limitMs = 30_000

/** Starts a workflow and follows its events to the end, as a reader in this process; checks what the reader saw. */
export function createRun(service: WorkflowService, { output, chain }: ContenderParts): () => Promise<void> {
  const request = chain === null ? featureDevelopment : chainOf(chain)
  const steps = chain ?? 6
  return async () => {
    const { resource } = await service.start(request, caller)
    const seen = await readToEnd(service, resource.id)
    const events = 3 + 3 * steps
    if (seen.events === events && seen.characters === steps * output.length && seen.last === 'workflow.completed')
      return
    throw new Error(`A run gave ${seen.events} events of ${events}, at last ${seen.last}.`)
  }
}

const featureDevelopment: StartWorkflow = { type: 'feature_development', requirement: 'Measure the engine.' }

function chainOf(length: number): StartWorkflow {
  const steps = Array.from({ length }, (_, index) => ({
    id: `step_${index}`,
    role: 'developer',
    task: 'Do nothing.',
    ...(index === 0 ? {} : { depends_on: [`step_${index - 1}`] }),
  }))
  return { type: 'custom', requirement: 'Measure the engine.', steps }
}

async function readToEnd(service: WorkflowService, id: string) {
  const reader = await service.openEvents({ kind: 'workflow', id }, null)
  const signal = AbortSignal.timeout(limitMs)
  const seen = { events: 0, characters: 0, last: '' }
  try {
    for (let done = false; !done;) {
      const read = await reader.read(framesPerRead)
      for (const { type, data } of read.frames) {
        if (type === 'step.delta') seen.characters += (JSON.parse(data) as { readonly text: string }).text.length
        else {
          seen.events += 1
          seen.last = type
        }
      }
      done = read.done
      if (!done) await reader.changed(signal)
    }
  } finally {
    reader.close()
  }
  return seen
}
