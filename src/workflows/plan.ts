import type { Agents } from '../agents/agent.ts'
import { AppError } from '../errors.ts'
import { dagFaults } from './dag.ts'
import { newId } from './ids.ts'
import { priceFaults } from './budget-faults.ts'
import type { Pricing } from './budget-faults.ts'
import { planWebhook } from './new-webhook.ts'
import type { PlannedWebhook, WebhookPolicy } from './new-webhook.ts'
import { disabledFaults, gateFaults, modelFaults, refuse, roleFaults, taskTypeFaults } from './plan-faults.ts'
import type { Budget } from './budget.ts'
import type { BudgetOptions, CustomStep, StartTask, StartWorkflow, StepOptions, WorkflowOptions } from './requests.ts'
import type { Caller } from './service.ts'
import type { NewWorkflow, WorkflowInput } from './store.ts'
import type { Template } from './templates.ts'
import { begin } from './transitions.ts'
import { noUsage } from './workflow.ts'
import type { RunOptions, StepDefinition, StepState, WorkflowState } from './workflow.ts'

export interface PlanParts {
  readonly agents: Agents
  readonly templates: ReadonlyMap<string, Template>
  /** Every model that can be asked for; null while that is not known. */
  readonly listedModels: () => readonly string[] | null
  readonly pricing: Pricing
  /** Without it there are none. */
  readonly webhooks?: WebhookPolicy | undefined
}

/** Who asks, and when (milliseconds since the epoch, by the database's clock). */
export interface Origin {
  readonly caller: Caller
  /** Name of the principal whose it will be. */
  readonly owner: string
  readonly now: number
  readonly jobId: string
}

/** A new workflow for a request. Throws `invalid-workflow` with every fault, before anything is stored. */
export function planWorkflow(parts: PlanParts, request: StartWorkflow, origin: Origin): NewWorkflow {
  const steps = withGates(stepsOf(parts, request), request.approvals ?? [])
  refuse([...modelFaults(parts.listedModels(), request), ...priceFaults(parts, { options: request.options, steps })])
  const webhook = planWebhook(request.webhook, parts.webhooks)
  const input: WorkflowInput = {
    requirement: request.requirement,
    context: request.context ?? {},
    files: request.files ?? [],
    metadata: request.metadata ?? {},
    options: request.options ?? {},
    webhook: webhook.input,
  }
  const named = { id: newId('wf'), kind: 'workflow', type: request.type } as const
  return planned({ ...named, steps, input, webhook, options: request.options ?? {} }, origin)
}

/** A direct task: a workflow of one step. Throws `not-found` for a role that is not there, `invalid-workflow`. */
export function planTask(
  parts: PlanParts,
  { role, request }: { readonly role: string; readonly request: StartTask },
  origin: Origin,
): NewWorkflow {
  const { agents, listedModels } = parts
  const profile = agents.profile(role)
  if (profile === undefined) throw new AppError('not-found', `There is no agent "${role}".`)
  const step = { id: 'task', role, task: request.task, ...(request.task_type ? { task_type: request.task_type } : {}) }
  refuse([
    ...disabledFaults(agents, role, 'role'),
    ...taskTypeFaults(profile, step, ''),
    ...modelFaults(listedModels(), request),
    ...priceFaults(parts, { options: request.options, steps: [stepDefinition(step)] }),
  ])
  const { options = {}, context = {}, files = [], metadata = {} } = request
  const webhook = planWebhook(request.webhook, parts.webhooks)
  const input: WorkflowInput = { requirement: null, context, files, metadata, options, webhook: webhook.input }
  const named = { id: newId('task'), kind: 'task', type: 'task' } as const
  return planned({ ...named, steps: [stepDefinition(step)], input, webhook, options }, origin)
}

function stepsOf({ agents, templates }: PlanParts, request: StartWorkflow): readonly StepDefinition[] {
  if (request.type === 'custom') {
    const steps = request.steps ?? []
    const definitions = steps.map(stepDefinition)
    refuse([...dagFaults(definitions), ...steps.flatMap((step, index) => roleFaults(agents, step, `/steps/${index}`))])
    return definitions
  }
  const template = templates.get(request.type)
  if (template === undefined) {
    const known = [...templates.keys(), 'custom'].join(', ')
    const detail = `"${request.type}" is not a workflow type; there are ${known}`
    throw new AppError('invalid-workflow', `There is no workflow type "${request.type}".`, {
      faults: [{ pointer: '/type', detail }],
    })
  }
  refuse(template.steps.flatMap((step) => disabledFaults(agents, step.role, '/type')))
  return template.steps
}

/** The steps that are named wait for a person. */
function withGates(steps: readonly StepDefinition[], named: readonly string[]): readonly StepDefinition[] {
  const gated = steps.map((step) => ({ ...step, approval: step.approval || named.includes(step.id) }))
  refuse(gateFaults(gated, named))
  return gated
}

/** A step as it was asked for, in the service's own terms. */
export function stepDefinition(step: CustomStep): StepDefinition {
  return {
    id: step.id,
    role: step.role,
    taskType: step.task_type ?? null,
    instruction: step.task,
    dependsOn: step.depends_on ?? [],
    onFailure: step.on_failure ?? 'stop',
    approval: step.approval ?? false,
    context: step.context ?? {},
    options: runOptions(step.options ?? {}),
  }
}

/** Options of a request, in the service's own terms. */
export function runOptions(asked: StepOptions & Pick<WorkflowOptions, 'budget'>): RunOptions {
  const { max_tokens, timeout_seconds, max_revisions, budget, ...same } = asked
  return {
    ...same,
    ...(max_tokens === undefined ? {} : { maxTokens: max_tokens }),
    ...(timeout_seconds === undefined ? {} : { timeoutMs: timeout_seconds * 1000 }),
    ...(max_revisions === undefined ? {} : { maxRevisions: max_revisions }),
    ...(budget === undefined ? {} : { budget: budgetOf(budget) }),
  }
}

function budgetOf(asked: BudgetOptions): Budget {
  const { max_tokens, max_llm_calls, max_duration_seconds, max_cost_usd } = asked
  return {
    ...(max_tokens === undefined ? {} : { maxTokens: max_tokens }),
    ...(max_llm_calls === undefined ? {} : { maxLlmCalls: max_llm_calls }),
    ...(max_duration_seconds === undefined ? {} : { maxDurationMs: max_duration_seconds * 1000 }),
    ...(max_cost_usd === undefined ? {} : { maxCostUsd: max_cost_usd }),
  }
}

interface Planned extends Pick<WorkflowState, 'id' | 'kind' | 'type'> {
  readonly steps: readonly StepDefinition[]
  readonly input: WorkflowInput
  readonly webhook: PlannedWebhook
  readonly options: NonNullable<StartWorkflow['options']>
}

function planned(
  { id, kind, type, steps, input, webhook, options }: Planned,
  { caller, owner, now, jobId }: Origin,
): NewWorkflow {
  const { priority = 0, ...rest } = options
  const state: WorkflowState = {
    id,
    kind,
    type,
    owner,
    status: 'queued',
    reason: null,
    error: null,
    seq: 0,
    active: true,
    activation: 1,
    jobId,
    claim: null,
    priority,
    options: runOptions(rest),
    webhookEvents: webhook.events,
    correlationId: caller.correlationId,
    traceparent: caller.traceparent,
    createdAt: now,
    startedAt: null,
    endedAt: null,
    updatedAt: now,
    runningMs: 0,
    runningSince: null,
    steps: steps.map((definition, index) => newStep(definition, index, kind === 'task' ? id : newId('task'))),
  }
  const { state: begun, events } = begin(state, { now })
  return { state: begun, input, events, webhook: webhook.webhook }
}

function newStep(definition: StepDefinition, index: number, taskId: string): StepState {
  return {
    definition,
    index,
    taskId,
    status: 'pending',
    attempt: 0,
    keptAttempt: null,
    startedAt: null,
    endedAt: null,
    endedSeq: null,
    runningMs: 0,
    runningSince: null,
    endpoint: null,
    model: null,
    finishReason: null,
    truncatedInput: false,
    artifacts: [],
    rejectedArtifacts: [],
    reason: null,
    dependency: null,
    error: null,
    triesUsed: 0,
    timeUsedMs: 0,
    restarts: 0,
    losses: 0,
    notBefore: null,
    carriedText: null,
    carriedContinuations: 0,
    waitingAttempt: null,
    waitingSince: null,
    expiresAt: null,
    revisions: 0,
    feedback: null,
    edited: false,
    usage: noUsage,
  }
}
