import type { PreparedTask } from '../agents/agent.ts'
import { AppError } from '../errors.ts'
import type { Failure } from '../errors.ts'
import type { Target } from '../llm/model.ts'
import type { Verdict } from './failure-policy.ts'

/** How far one try has come down the list of endpoints, and what its start has learned about the prompt. */
export interface Pass {
  /** Endpoints that failed in this try. */
  readonly failed: ReadonlySet<string>
  /** What failed in it that another try may help with. */
  readonly failure: Failure | null
  /** The prompt did not fit the model: the fallback model is asked instead, until the step is started anew. */
  readonly otherModel: boolean
  /** Most tokens of the prompt, once a server has found it too long. */
  readonly promptLimit: number | null
}

/** The first try of a start. */
export const firstPass: Pass = { failed: new Set(), failure: null, otherModel: false, promptLimit: null }

/** What the operator allows against a prompt that is too long. */
export interface PromptRepair {
  /** Model for prompts that do not fit; null: none. */
  readonly fallbackModel: string | null
  /** Prompts may be cut. */
  readonly mayCut: boolean
}

/** What a failed attempt leaves to be done about its prompt; once each in a start. */
export function repairOf(error: unknown, pass: Pass, repair: PromptRepair): 'other_model' | 'shorter_prompt' | null {
  if (!(error instanceof AppError) || error.details.overflow === undefined) return null
  if (canChangeModel(pass, repair)) return 'other_model'
  return repair.mayCut && pass.promptLimit === null ? 'shorter_prompt' : null
}

/** Whether the fallback model stands by. */
export function canChangeModel(pass: Pass, { fallbackModel }: PromptRepair): boolean {
  return fallbackModel !== null && !pass.otherModel
}

/** The candidates that this try has not failed at; all of them when none of the others can be called now. */
export function untried(pass: Pass, targets: readonly Target[], isReady: (target: Target) => boolean) {
  const left = targets.filter(({ endpoint }) => !pass.failed.has(endpoint))
  return left.some(isReady) ? left : targets
}

/** What is remembered for the attempt that follows a verdict. */
export function passAfter(
  verdict: Verdict,
  pass: Pass,
  tried: {
    readonly target: Target
    readonly failure: Failure
    readonly error: unknown
    readonly prepared: PreparedTask | Error
  },
): Pass {
  switch (verdict.kind) {
    case 'next_endpoint': {
      const failure = tried.failure.retryable ? tried.failure : pass.failure
      return { ...pass, failed: new Set([...pass.failed, tried.target.endpoint]), failure }
    }
    case 'other_model':
      return { ...firstPass, otherModel: true }
    case 'shorter_prompt':
      return { ...pass, promptLimit: shorterLimit(tried) }
    case 'retry':
      return { ...pass, failed: firstPass.failed, failure: null }
    case 'restart':
    case 'fail':
      return firstPass
    default:
      return verdict satisfies never
  }
}

const shorter = 0.9
const muchShorter = 0.5

// a server that told its window has corrected window and estimate already; the limit is there so that it surely shrinks
function shorterLimit({
  error,
  prepared,
}: {
  readonly error: unknown
  readonly prepared: PreparedTask | Error
}): number {
  const { promptTokens = null, window = null } = (error instanceof AppError ? error.details.overflow : null) ?? {}
  const tokens = promptTokens ?? (prepared instanceof Error ? 0 : prepared.firstCall.inputTokens)
  return Math.floor(tokens * (window === null ? muchShorter : shorter))
}
