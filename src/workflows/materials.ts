import type { AgentTask, Agents, EarlierResult } from '../agents/agent.ts'
import type { Target } from '../llm/model.ts'
import { untilAvailable } from './committer.ts'
import { ancestors } from './dag.ts'
import type { TextKey } from './held-materials.ts'
import type { HeldWorkflow } from './held-workflow.ts'
import type { WorkflowStore } from './store.ts'
import type { RunOptions, StepState } from './workflow.ts'

export interface MaterialsParts {
  readonly store: WorkflowStore
  readonly agents: Agents
  readonly abandoned: AbortSignal
}

/** Everything that a step receives: the request, and the results of all steps that it depends on, directly or not. */
export async function gatherTask(
  { store, abandoned }: MaterialsParts,
  { hold, index, target }: { readonly hold: HeldWorkflow; readonly index: number; readonly target: Target },
): Promise<Omit<AgentTask, 'promptLimit' | 'mayCut'>> {
  const workflow = hold.state()
  const step = hold.step(index)
  const { id, role, taskType, instruction, context } = step.definition
  const { input } = hold.materials
  const earlier = await earlierResults({ store, abandoned }, hold, step)
  return {
    role,
    step: id,
    taskType,
    instruction,
    requirement: input.requirement,
    context: { ...input.context, ...context },
    files: input.files,
    earlier,
    revision: await untilAvailable(() => revisionOf(store, workflow.id, step), abandoned),
    target,
    options: answerOptions({ ...workflow.options, ...step.definition.options }),
    carried: step.carriedText === null ? null : { text: step.carriedText, continuations: step.carriedContinuations },
  }
}

async function revisionOf(store: WorkflowStore, id: string, { index, feedback }: StepState) {
  if (feedback === null) return null
  const { attempt, text } = feedback
  const [former] = attempt === null ? [] : await store.results(id, [{ stepIndex: index, attempt }])
  return { feedback: text, formerOutput: former?.output ?? '' }
}

function answerOptions({ temperature, maxTokens, stream }: RunOptions): AgentTask['options'] {
  return {
    ...(temperature === undefined ? {} : { temperature }),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(stream === undefined ? {} : { stream }),
  }
}

async function earlierResults(
  { store, abandoned }: Pick<MaterialsParts, 'store' | 'abandoned'>,
  hold: HeldWorkflow,
  step: StepState,
): Promise<readonly EarlierResult[]> {
  const { id, steps } = hold.state()
  const before = new Set(
    ancestors(
      steps.map((other) => other.definition),
      step.definition.id,
    ),
  )
  const givers = steps.filter((other) => before.has(other.definition.id))
  const [edited, made] = [givers.filter((giver) => giver.edited), givers.filter((giver) => !giver.edited)]
  // A person may have edited it since it was made here.
  const read = edited.length === 0 ? [] : await untilAvailable(() => store.results(id, keysOf(edited)), abandoned)
  const found = [...read, ...(await hold.materials.results(keysOf(made)))]
  const results = new Map(found.map((result) => [result.stepIndex, result]))
  return givers.map((giver) => ({
    step: giver.definition.id,
    role: giver.definition.role,
    output: results.get(giver.index)?.output ?? '',
    files: results.get(giver.index)?.files ?? [],
    direct: step.definition.dependsOn.includes(giver.definition.id),
    status: giver.status === 'incomplete' || giver.status === 'failed' ? giver.status : 'completed',
  }))
}

function keysOf(steps: readonly StepState[]): readonly TextKey[] {
  return steps.flatMap(({ index, keptAttempt }) =>
    keptAttempt === null ? [] : [{ stepIndex: index, attempt: keptAttempt }],
  )
}
