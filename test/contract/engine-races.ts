import type { LifecycleEvent } from '../../src/workflows/events.ts'
import type { CustomStep } from '../../src/workflows/requests.ts'
import { customStep } from '../support/engine-fixture.ts'
import type { EngineBenchOptions } from '../support/engine-fixture.ts'
import {
  approve,
  cancel,
  endsByItself,
  gateExpires,
  reject,
  remove,
  rerun,
  resume,
  stepEnds,
} from './engine-contenders.ts'
import type { Contender } from './engine-contenders.ts'
import type { TryRequest } from './engine-try.ts'

/** Two that change the same workflow at the same time. */
export interface Race {
  readonly name: string
  readonly request: TryRequest
  readonly bench?: EngineBenchOptions
  /** Events after which both begin. */
  readonly until: readonly string[]
  readonly contenders: readonly [Contender, Contender]
  /** How much earlier the second one begins the first time, in milliseconds. */
  readonly leadMs?: number
  /**
   * Every lawful outcome: what the two are answered, and how the workflow ends when it is left to itself. The first is
   * that of the first one coming first.
   */
  readonly lawful: readonly string[]
  /** Whether the first one came first, where the outcome does not tell. */
  readonly isFirst?: (events: readonly LifecycleEvent[]) => boolean
  /** Most steps that the model may be asked for. */
  readonly mostCalls: number
}

const limits = { maxRetries: 0, maxRestarts: 0, timeoutMs: 20_000 }
const gated = (...lines: readonly string[]): CustomStep[] =>
  lines.map((line, index) => customStep(line, { approval: index === 0 }))
const steps = (...lines: readonly string[]): CustomStep[] => lines.map((line) => customStep(line))

const begun = ['step.started a']
const taken = ['workflow.started']
const waiting = ['workflow.waiting']

const atWork: readonly Race[] = [
  {
    name: 'cancel and the end of the last step',
    request: { steps: steps('a'), answers: { a: ['held'] } },
    until: begun,
    contenders: [cancel, stepEnds('a')],
    lawful: ['202 - cancelled, a cancelled', '200 - completed, a completed'],
    mostCalls: 1,
  },
  {
    name: 'cancel and the end of a step that others wait for',
    request: { steps: steps('a', 'b < a', 'c < a'), answers: { a: ['held'] } },
    until: begun,
    contenders: [cancel, stepEnds('a')],
    lawful: ['202 - cancelled, a cancelled', '202 - cancelled, a completed', '200 - completed, a completed'],
    mostCalls: 3,
  },
  {
    name: 'cancel and the timeout of the step',
    request: { steps: steps('a', 'b < a'), answers: { a: ['held'] }, options: { timeout_seconds: 0.25 } },
    bench: { run: { limits } },
    until: taken,
    contenders: [cancel, endsByItself],
    leadMs: 150,
    lawful: ['202 - cancelled, a cancelled', '200 - failed, a failed'],
    mostCalls: 1,
  },
  {
    name: 'cancel and the end of the workflow’s time',
    request: { steps: steps('a', 'b < a', 'c'), answers: { a: ['held'], c: ['held'] } },
    bench: { run: { workflowTimeoutMs: 250 } },
    until: taken,
    contenders: [cancel, endsByItself],
    leadMs: 150,
    lawful: ['202 - cancelled, a cancelled', '200 - failed, a failed'],
    mostCalls: 2,
  },
]

const atGates: readonly Race[] = [
  {
    name: 'cancel and approve',
    request: { steps: gated('a', 'b < a') },
    until: waiting,
    contenders: [cancel, approve('a')],
    lawful: ['202 409 cancelled, a cancelled', '202 202 cancelled, a completed', '200 202 completed, a completed'],
    mostCalls: 2,
  },
  {
    name: 'approve and reject',
    request: { steps: gated('a', 'b < a') },
    until: waiting,
    contenders: [approve('a'), reject('a')],
    lawful: ['202 409 completed, a completed', '409 202 completed, a completed'],
    mostCalls: 3,
  },
  {
    name: 'approve and the same again',
    request: { steps: gated('a', 'b < a') },
    until: waiting,
    contenders: [approve('a'), approve('a')],
    lawful: ['202 200 completed, a completed', '200 202 completed, a completed'],
    mostCalls: 2,
  },
  {
    name: 'approve and approve with another text',
    request: { steps: gated('a', 'b < a') },
    until: waiting,
    contenders: [approve('a'), approve('a', { output: 'By a person.' })],
    lawful: ['202 409 completed, a completed', '409 202 completed, a completed'],
    mostCalls: 2,
  },
  {
    name: 'approve and expiry',
    request: { steps: gated('a', 'b < a') },
    // Nobody else sweeps.
    bench: { run: { approvalTimeoutMs: 1 }, store: (real) => ({ ...real, expiredGates: async () => [] }) },
    until: waiting,
    contenders: [approve('a'), gateExpires],
    lawful: ['202 - completed, a completed', '409 - failed, a failed'],
    mostCalls: 2,
  },
  {
    name: 'approve and letting go',
    request: { steps: gated('a', 'b', 'c < a'), answers: { b: ['held'] } },
    until: ['step.waiting a', 'step.started b'],
    contenders: [approve('a'), stepEnds('b')],
    isFirst: (events) => !events.some(({ type }) => type === 'workflow.waiting'),
    lawful: ['202 - completed, a completed'],
    mostCalls: 3,
  },
  {
    name: 'reject and cancel',
    request: { steps: gated('a', 'b < a') },
    until: waiting,
    contenders: [reject('a'), cancel],
    lawful: ['202 202 cancelled, a cancelled', '409 202 cancelled, a cancelled'],
    mostCalls: 2,
  },
]

const afterTheEnd: readonly Race[] = [
  {
    name: 'cancel and resume',
    request: { steps: steps('a', 'b < a'), answers: { a: ['broken', 'work'] } },
    until: ['workflow.failed'],
    contenders: [cancel, resume],
    lawful: ['200 202 completed, a completed', '202 202 cancelled, a cancelled', '202 202 cancelled, a completed'],
    mostCalls: 3,
  },
  {
    name: 'resume and resume',
    request: { steps: steps('a', 'b < a'), answers: { a: ['broken', 'work'] } },
    until: ['workflow.failed'],
    contenders: [resume, resume],
    lawful: ['202 409 completed, a completed', '409 202 completed, a completed'],
    mostCalls: 3,
  },
  {
    name: 'rerun and rerun',
    request: { steps: steps('a', 'b < a'), answers: { a: ['work', 'held'] } },
    until: ['workflow.completed'],
    contenders: [rerun('a'), rerun('a')],
    lawful: ['202 409 completed, a completed', '409 202 completed, a completed'],
    mostCalls: 4,
  },
  {
    name: 'rerun and resume',
    request: { steps: steps('a', 'b < a'), answers: { a: ['work', 'held'], b: ['broken', 'held'] } },
    until: ['workflow.failed'],
    contenders: [rerun('a'), resume],
    lawful: ['202 409 completed, a completed', '409 202 completed, a completed'],
    mostCalls: 4,
  },
  {
    name: 'delete and resume',
    request: { steps: steps('a', 'b < a'), answers: { a: ['broken', 'held'] } },
    until: ['workflow.failed'],
    contenders: [remove, resume],
    lawful: ['204 404 gone', '409 202 completed, a completed'],
    mostCalls: 3,
  },
]

/** The end of each may also come by the sweep, a kill or a second replica: the table of the contract knows no other outcome. */
export const races: readonly Race[] = [...atWork, ...atGates, ...afterTheEnd]
