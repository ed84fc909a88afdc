import type { Failure, FailureCode } from '../../src/errors.ts'
import { decide } from '../../src/workflows/transitions.ts'
import type { Happening } from '../../src/workflows/transitions.ts'
import type { Decision } from '../../src/workflows/draft.ts'
import { noUsage } from '../../src/workflows/workflow.ts'
import type {
  StepDefinition,
  StepState,
  StepStatus,
  WorkflowState,
  WorkflowStatus,
} from '../../src/workflows/workflow.ts'

/** When everything in these fixtures happened; `now` is the moment of the transition under test. */
export const times = { created: 1000, started: 2000, attempt: 4000, changed: 5000, now: 10_000 } as const

/** How long a gate stays open in these fixtures, and when one that opens now closes. */
export const approvalTimeoutMs = 60_000
export const gateClosesAt = times.now + approvalTimeoutMs

export const usage = { ...noUsage, inputTokens: 30, outputTokens: 12, llmCalls: 2 }

export function failure(code: FailureCode = 'llm_error', change: Partial<Failure> = {}): Failure {
  return { code, message: `it was ${code}`, retryable: true, ...change }
}

export function definition(id: string, change: Partial<StepDefinition> = {}): StepDefinition {
  return {
    id,
    role: 'developer',
    taskType: null,
    instruction: `do ${id}`,
    dependsOn: [],
    onFailure: 'stop',
    approval: false,
    context: {},
    options: {},
    ...change,
  }
}

const ended = { startedAt: 3000, endedAt: times.changed, attempt: 1, runningMs: 700, endedSeq: 8 }
const place = { endpoint: 'default', model: 'model-1' }
const openGate = { waitingAttempt: 1, waitingSince: times.changed, expiresAt: 65_000 }

/** What a step of each status looks like besides its status. */
const looks: Readonly<Record<StepStatus, Partial<StepState>>> = {
  pending: {},
  queued: {},
  running: { ...place, attempt: 1, startedAt: 3000, runningMs: 500, runningSince: times.attempt },
  waiting: { ...place, ...ended, ...openGate, endedAt: null, endedSeq: null, keptAttempt: 1, finishReason: 'stop' },
  completed: { ...place, ...ended, keptAttempt: 1, finishReason: 'stop' },
  incomplete: { ...place, ...ended, keptAttempt: 1, finishReason: 'length', error: failure('output_limit') },
  failed: { ...place, ...ended, error: failure() },
  skipped: { endedAt: times.changed, endedSeq: 8, reason: 'dependency_failed', dependency: 'a' },
  cancelled: { endedAt: times.changed, endedSeq: 8, reason: 'cancelled_by_client' },
}

/** One step of a fixture: its id, its status, what it depends on, and what is special about it. */
export interface StepSketch extends Partial<Omit<StepState, 'definition' | 'index'>> {
  readonly id: string
  readonly status: StepStatus
  readonly after?: readonly string[]
  readonly onFailure?: 'stop' | 'continue'
  /** Its result waits for a person; so does that of a step that is waiting. */
  readonly gate?: boolean
}

export function stepOf(sketch: StepSketch, index = 0): StepState {
  const { id, status, after = [], onFailure = 'stop', gate = status === 'waiting', ...change } = sketch
  return {
    definition: definition(id, { dependsOn: after, onFailure, approval: gate }),
    index,
    taskId: `task_${id}`,
    status,
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
    ...looks[status],
    ...change,
  }
}

function workflowLook(status: WorkflowStatus): Partial<WorkflowState> {
  switch (status) {
    case 'queued':
      return { claim: null, startedAt: null, runningSince: null }
    case 'running':
      return {}
    case 'waiting':
      return { active: false, reason: 'approval', runningMs: 3000, runningSince: null }
    case 'completed':
    case 'failed':
    case 'cancelled':
      return { active: false, endedAt: times.changed, runningMs: 3000, runningSince: null }
    default:
      return status satisfies never
  }
}

/** A workflow in mid-life: ten events so far, activation 1, frozen so that a transition cannot change it. */
export function workflowOf(
  status: WorkflowStatus,
  sketches: readonly StepSketch[],
  change: Partial<WorkflowState> = {},
): WorkflowState {
  return deepFreeze<WorkflowState>({
    id: 'wf_019a0000000070008000aaaaaaaaaaaa',
    kind: 'workflow',
    type: 'custom',
    status,
    reason: null,
    error: null,
    seq: 10,
    active: true,
    activation: 1,
    jobId: 'job-1',
    claim: { activation: 1, retry: 0 },
    priority: 0,
    options: {},
    owner: '',
    webhookEvents: null,
    correlationId: 'start',
    traceparent: null,
    createdAt: times.created,
    startedAt: times.started,
    endedAt: null,
    updatedAt: times.changed,
    runningMs: 0,
    runningSince: times.started,
    steps: sketches.map(stepOf),
    ...workflowLook(status),
    ...change,
  })
}

/** Makes any change of it, however deep, throw. */
export function deepFreeze<T>(value: T): T {
  if (Object.isFrozen(value)) return value
  if (value !== null && typeof value === 'object') {
    for (const inner of Object.values(value)) deepFreeze(inner)
    Object.freeze(value)
  }
  return value
}

/** Applies what must be allowed; throws when it is refused. A new activation has the job `job-2`. */
export function decided(state: WorkflowState, happening: Happening, now: number = times.now): Decision {
  const decision = decide(state, happening, { now, jobId: 'job-2' })
  if (decision === null) throw new Error(`${happening.type} was refused`)
  return decision
}

/** The step of that id. */
export function stepNamed(state: WorkflowState, id: string): StepState {
  const step = state.steps.find((candidate) => candidate.definition.id === id)
  if (step === undefined) throw new Error(`there is no step ${id}`)
  return step
}

/** Every happening of a step, in a plain form. */
export const stepHappenings = {
  started: (step = 0) =>
    ({ type: 'step_started', step, endpoint: 'backup', model: 'model-2', truncatedInput: true }) as const,
  continued: (step = 0) => ({ type: 'step_continued', step, n: 1 }) as const,
  retried: (step = 0) =>
    ({
      type: 'step_retried',
      step,
      failure: failure('llm_rate_limited'),
      delayMs: 1500,
      count: { triesUsed: 1, timeUsedMs: 6000, restarts: 0 },
      carried: { carriedText: 'so far', carriedContinuations: 1 },
    }) as const,
  completed: (step = 0) =>
    ({
      type: 'step_kept',
      step,
      status: 'completed',
      finishReason: 'stop',
      model: 'model-1b',
      artifacts: [
        { path: 'src/a.ts', bytes: 12, sha256: 'aa', version: 1 },
        { path: 'README.md', bytes: 34, sha256: 'bb', version: 3 },
      ],
      rejected: [{ path: '../x', reason: 'leaves the workflow' }],
      error: null,
      approvalTimeoutMs,
    }) as const,
  incomplete: (step = 0) =>
    ({
      type: 'step_kept',
      step,
      status: 'incomplete',
      finishReason: 'length',
      model: 'model-1b',
      artifacts: [],
      rejected: [],
      error: failure('output_limit'),
      approvalTimeoutMs,
    }) as const,
  failed: (step = 0, code: FailureCode = 'llm_rejected') =>
    ({ type: 'step_failed', step, failure: failure(code, { retryable: false, attempts: 1 }) }) as const,
  approved: (step = 0) => ({ type: 'approved', step, edit: null }) as const,
  rejected: (step = 0) => ({ type: 'rejected', step, feedback: 'Say it in one page.', maxRevisions: 2 }) as const,
  expired: (step = 0) => ({ type: 'gate_expired', step }) as const,
  rerun: (step = 0) => ({ type: 'rerun', step, feedback: null, options: {}, priority: 0, stepOptions: {} }) as const,
} satisfies Record<string, (step?: number) => Happening>

/** Every happening of a workflow. */
export const workflowHappenings = {
  taken: { type: 'taken', claim: { activation: 1, retry: 1 }, maxWorkerLosses: 25 },
  adopted: { type: 'adopted', claim: { activation: 1, retry: 1 } },
  handedOver: { type: 'handed_over', code: 'shutdown', jobId: 'job-2', maxWorkerLosses: 25 },
  lost: { type: 'handed_over', code: 'worker_lost', jobId: 'job-2', maxWorkerLosses: 25 },
  timeUp: { type: 'time_up', limitedBy: 'WORKFLOW_TIMEOUT' },
  cancelled: { type: 'cancelled' },
  resumed: { type: 'resumed', options: {}, priority: 0, approvalTimeoutMs },
} as const satisfies Record<string, Happening>
