import type { LifecycleEvent } from '../workflows/events.ts'
import type {
  AttemptRecord,
  GateAnswer,
  NewCall,
  OpenGate,
  SettledCall,
  StoredArtifact,
  WorkflowInput,
} from '../workflows/store.ts'
import type { StepState, WorkflowState } from '../workflows/workflow.ts'
import type { Columns } from './columns.ts'

/** A workflow's row: the state without its steps, the claim in two columns, the role of a direct task. */
export interface WorkflowRow extends Omit<WorkflowState, 'steps' | 'claim'> {
  readonly claimActivation: number | null
  readonly claimRetry: number | null
  readonly role: string | null
}

/** What never changes after creation. */
const fixedWorkflowColumns = {
  id: 'text',
  kind: 'text',
  type: 'text',
  owner: 'text',
  webhookEvents: 'json',
  role: 'text',
  correlationId: 'text',
  traceparent: 'text',
  createdAt: 'time',
} as const

export const changingWorkflowColumns = {
  status: 'text',
  reason: 'text',
  error: 'json',
  priority: 'integer',
  options: 'json',
  seq: 'integer',
  active: 'boolean',
  activation: 'integer',
  jobId: 'uuid',
  claimActivation: 'integer',
  claimRetry: 'integer',
  startedAt: 'time',
  endedAt: 'time',
  updatedAt: 'time',
  runningMs: 'double precision',
  runningSince: 'time',
} as const

export const workflowColumns: Columns<WorkflowRow> = { ...fixedWorkflowColumns, ...changingWorkflowColumns }

export const inputColumns: Columns<WorkflowInput> = {
  requirement: 'text',
  context: 'json',
  files: 'json',
  metadata: 'jsonb',
  options: 'json',
  webhook: 'json',
}

/** A step's row; id and role stand beside the definition for joins. */
export interface StepRow extends Omit<StepState, 'index' | 'usage'> {
  readonly stepIndex: number
  readonly step: string
  readonly role: string
}

export const stepColumns: Columns<StepRow> = {
  stepIndex: 'integer',
  step: 'text',
  role: 'text',
  definition: 'json',
  taskId: 'text',
  status: 'text',
  attempt: 'integer',
  keptAttempt: 'integer',
  startedAt: 'time',
  endedAt: 'time',
  endedSeq: 'integer',
  runningMs: 'double precision',
  runningSince: 'time',
  endpoint: 'text',
  model: 'text',
  finishReason: 'text',
  truncatedInput: 'boolean',
  artifacts: 'json',
  rejectedArtifacts: 'json',
  reason: 'text',
  dependency: 'text',
  error: 'json',
  triesUsed: 'integer',
  timeUsedMs: 'double precision',
  restarts: 'integer',
  losses: 'integer',
  notBefore: 'time',
  carriedText: 'text',
  carriedContinuations: 'integer',
  waitingAttempt: 'integer',
  waitingSince: 'time',
  expiresAt: 'time',
  revisions: 'integer',
  feedback: 'json',
  edited: 'boolean',
}

const { definition: _definition, step: _step, role: _role, taskId: _taskId, ...changing } = stepColumns

/** What changes while a step runs, by its index. */
export const changingStepColumns: Columns<Omit<StepRow, 'definition' | 'step' | 'role' | 'taskId'>> = changing

export const eventColumns: Columns<LifecycleEvent> = {
  seq: 'integer',
  type: 'text',
  at: 'time',
  correlationId: 'text',
  step: 'text',
  attempt: 'integer',
  data: 'json',
}

export const attemptColumns: Columns<AttemptRecord> = {
  stepIndex: 'integer',
  attempt: 'integer',
  status: 'text',
  startedAt: 'time',
  endedAt: 'time',
  endpoint: 'text',
  model: 'text',
  finishReason: 'text',
  error: 'json',
}

/** Of kept texts, and of what a person made of them. */
export const outputColumns = { stepIndex: 'integer', attempt: 'integer', text: 'text' } as const

export const answerColumns: Columns<GateAnswer> = {
  stepIndex: 'integer',
  attempt: 'integer',
  verb: 'text',
  digest: 'text',
}

export const openGateColumns: Columns<OpenGate> = {
  workflowId: 'text',
  type: 'text',
  step: 'text',
  role: 'text',
  attempt: 'integer',
  waitingSince: 'time',
  expiresAt: 'time',
}

/** `content` goes to the blobs, as bytes. */
export const newArtifactColumns = {
  stepIndex: 'integer',
  attempt: 'integer',
  path: 'text',
  version: 'integer',
  mediaType: 'text',
  sha256: 'text',
  content: 'text',
  edited: 'boolean',
} as const

export const artifactColumns: Columns<StoredArtifact> = {
  path: 'text',
  stepIndex: 'integer',
  attempt: 'integer',
  version: 'integer',
  mediaType: 'text',
  bytes: 'integer',
  sha256: 'text',
  createdAt: 'time',
}

/** The workflow is that of the change. */
export const callColumns: Columns<Omit<NewCall, 'workflowId'>> = {
  id: 'text',
  stepIndex: 'integer',
  attempt: 'integer',
  endpoint: 'text',
  model: 'text',
  estimatedInputTokens: 'integer',
  maxTokens: 'integer',
  costUsd: 'double precision',
  reservedCostUsd: 'double precision',
}

/** What a settlement writes of a call. */
export const settledColumns: Columns<Pick<SettledCall, 'finishReason'> & SettledCall['usage']> = {
  inputTokens: 'integer',
  outputTokens: 'integer',
  cachedTokens: 'integer',
  reasoningTokens: 'integer',
  costUsd: 'double precision',
  estimated: 'boolean',
  finishReason: 'text',
}
