import { nothingBeside } from '../../src/workflows/planned-change.ts'
import { randomUUID } from 'node:crypto'

import type { LifecycleEvent, LifecycleType } from '../../src/workflows/events.ts'
import type { Change, NewArtifact, NewCall, NewWorkflow } from '../../src/workflows/store.ts'
import { noUsage } from '../../src/workflows/workflow.ts'
import type { Claim, StepState, WorkflowState } from '../../src/workflows/workflow.ts'
import { testId } from '../support/database.ts'

/** A moment that every fixture happens at. */
export const moment = Date.UTC(2026, 0, 2, 3, 4, 5, 678)

export function step(index: number, changes: Partial<StepState> = {}): StepState {
  return {
    definition: {
      id: `step-${index}`,
      role: 'developer',
      taskType: null,
      instruction: null,
      dependsOn: index === 0 ? [] : [`step-${index - 1}`],
      onFailure: 'stop',
      approval: false,
      context: {},
      options: {},
    },
    index,
    taskId: testId('task'),
    status: index === 0 ? 'queued' : 'pending',
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
    ...changes,
  }
}

export function state(changes: Partial<WorkflowState> = {}): WorkflowState {
  return {
    id: testId(),
    kind: 'workflow',
    type: 'custom',
    status: 'queued',
    reason: null,
    error: null,
    seq: 1,
    active: true,
    activation: 1,
    jobId: randomUUID(),
    claim: null,
    priority: 0,
    options: {},
    owner: '',
    webhookEvents: null,
    correlationId: 'request-1',
    traceparent: null,
    createdAt: moment,
    startedAt: null,
    endedAt: null,
    updatedAt: moment,
    runningMs: 0,
    runningSince: null,
    steps: [step(0), step(1)],
    ...changes,
  }
}

export function event(seq: number, type: LifecycleType, changes: Partial<LifecycleEvent> = {}): LifecycleEvent {
  return { seq, type, at: moment, correlationId: 'request-1', step: null, attempt: null, data: {}, ...changes }
}

export function newWorkflow(changes: Partial<WorkflowState> = {}): NewWorkflow {
  const created = state(changes)
  return {
    state: created,
    input: { requirement: 'Build it.', context: {}, files: [], metadata: {}, options: {}, webhook: null },
    webhook: null,
    events: Array.from({ length: created.seq }, (_, n) => event(n + 1, n === 0 ? 'workflow.queued' : 'step.queued')),
  }
}

export const firstClaim: Claim = { activation: 1, retry: 0 }

/** A change that writes `next`, with one event for each number that it is beyond `before`. */
export function change(before: WorkflowState, next: Partial<WorkflowState>, more: Partial<Change> = {}): Change {
  const events = more.events ?? [event(before.seq + 1, 'step.queued')]
  return {
    seen: before.seq,
    guard: { kind: 'verb' },
    state: { ...before, seq: before.seq + events.length, ...next },
    changedSteps: [],
    events,
    attempts: [],
    ...nothingBeside,
    completeJob: null,
    sendJob: false,
    ...more,
  }
}

export function call(workflowId: string, changes: Partial<NewCall> = {}): NewCall {
  return {
    id: randomUUID(),
    workflowId,
    stepIndex: 0,
    attempt: 1,
    endpoint: 'default',
    model: 'm',
    estimatedInputTokens: 100,
    maxTokens: 500,
    costUsd: null,
    reservedCostUsd: null,
    ...changes,
  }
}

export function artifact(path: string, changes: Partial<NewArtifact> = {}): NewArtifact {
  const content = changes.content ?? `content of ${path}`
  const sha256 = Buffer.from(content).toString('hex').padEnd(64, '0').slice(0, 64)
  return {
    stepIndex: 0,
    attempt: 1,
    path,
    version: 1,
    mediaType: 'text/plain',
    sha256,
    content,
    edited: false,
    ...changes,
  }
}
