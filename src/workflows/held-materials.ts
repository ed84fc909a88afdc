import { untilAvailable } from './committer.ts'
import type { StepResult, WorkflowInput, WorkflowStore } from './store.ts'

/** Which text. */
export interface TextKey {
  readonly stepIndex: number
  readonly attempt: number
}

/** What the steps of a held workflow are made from: none of it ever changes, so it is read once. */
export interface HeldMaterials {
  readonly input: WorkflowInput
  /** Texts and files of kept attempts, in the order asked for. Not of edited ones. */
  results(of: readonly TextKey[]): Promise<readonly StepResult[]>
  /** Remembers what is about to be kept, for the steps that need it next. */
  remember(attempt: number, result: StepResult): void
}

export interface HeldMaterialsParts {
  readonly store: WorkflowStore
  readonly abandoned: AbortSignal
}

/** Characters that one workflow may keep in memory; what is beyond is read again. */
const maxRemembered = 1_000_000

/** Creates the memory of one held workflow. */
export function createHeldMaterials(
  { store, abandoned }: HeldMaterialsParts,
  { id, input }: { readonly id: string; readonly input: WorkflowInput },
): HeldMaterials {
  const remembered = new Map<string, StepResult>()
  let room = maxRemembered
  return {
    input,
    async results(of) {
      const missing = of.filter((key) => !remembered.has(nameOf(key)))
      const found = missing.length === 0 ? [] : await untilAvailable(() => store.results(id, missing), abandoned)
      const byStep = new Map(found.map((result) => [result.stepIndex, result]))
      return of.flatMap((key) => remembered.get(nameOf(key)) ?? byStep.get(key.stepIndex) ?? [])
    },
    remember(attempt, result) {
      const name = nameOf({ stepIndex: result.stepIndex, attempt })
      // A change that is planned again remembers the same text again.
      const left = room + sizeOf(remembered.get(name)) - sizeOf(result)
      if (left < 0) return
      room = left
      remembered.set(name, result)
    },
  }
}

/** The files are parts of the text. */
function sizeOf(result: StepResult | undefined): number {
  return result === undefined ? 0 : result.output.length * 2
}

function nameOf({ stepIndex, attempt }: TextKey): string {
  return `${stepIndex}.${attempt}`
}
