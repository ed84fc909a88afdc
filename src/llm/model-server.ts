import { AppError } from '../errors.ts'
import type { PoolShare } from './client-pool.ts'
import type { Clock } from './clock.ts'
import type { EndpointLimits } from './endpoint-load.ts'
import { type FailureContext, saysLoading } from './failures.ts'
import { surveyEndpoint, type Survey } from './model-catalogue.ts'
import type { LlmEvent } from './model.ts'
import { createTokenRatios, type TokenRatios } from './token-ratio.ts'

/** A model server: its share of a pooled client, and what is known about it. */
export interface ModelServer extends EndpointLimits {
  readonly pool: PoolShare
  readonly failures: FailureContext
  /** Asks it what it serves; one question at a time, whoever waits for it. */
  check(): Promise<void>
  /** The last answer; null before the first. */
  survey(): Survey | null
  /** What the operator says that it serves, else what it lists; empty while nobody has told. */
  models(): readonly string[]
  /** The operator named its models: it serves no other. */
  readonly isClosedList: boolean
  /** Whether it is still loading its model. Never rejects. */
  isLoading(): Promise<boolean>
  /** It refused us for what will not change by itself: others are preferred for the next 5 minutes. */
  avoid(): void
  isAvoided(): boolean
  /** A call went well. */
  proved(): void
  /** It does not accept our key: as good as unreachable, until the next check says otherwise. */
  refusesKey(detail: string): void
  /** Tokens of context of `model`, what is configured before what is listed; null while nobody has told. */
  window(model: string, configured: number | null): number | null
  /** A window that an overflow error told. */
  learnWindow(model: string, tokens: number): void
  readonly tokenRatios: TokenRatios
  /** Gives up what it is asked at the moment. */
  close(): Promise<void>
}

const checkMs = 5_000
const avoidMs = 5 * 60 * 1000
const mostLearned = 1_000

const nothingKnown = { models: [], windows: new Map<string, number>(), commonWindow: null }

export interface ModelServerParts {
  readonly pool: PoolShare
  readonly failures: FailureContext
  readonly clock: Clock
  readonly observe: (event: LlmEvent) => void
}

/** Nothing is asked before the first `check`. `models`: what it serves, empty for whatever it lists. */
export function createModelServer(
  { name, order, maxInFlight, models }: EndpointLimits & { readonly models: readonly string[] },
  parts: ModelServerParts,
): ModelServer {
  const { pool, failures, clock, observe } = parts
  const learned = createLearnedWindows()
  const closing = new AbortController()
  let last: Survey | null = null
  let asking: Promise<void> | null = null
  let avoidedUntil = Number.NEGATIVE_INFINITY

  const take = (survey: Survey): void => {
    last = survey.ok || last === null ? survey : { ...last, ok: false, detail: survey.detail }
    observe({ type: 'llm.endpoint_checked', endpoint: name, ok: last.ok, detail: last.detail, models: last.models })
  }
  const look = <T>(ask: (get: (path: string) => Promise<unknown>) => Promise<T>): Promise<T> =>
    lookAt(ask, { pool, clock, failures, closing: closing.signal })
  const ask = async (): Promise<void> => {
    const survey = await look(surveyEndpoint)
    if (!closing.signal.aborted) take(survey)
  }

  return {
    name,
    order,
    maxInFlight,
    pool,
    failures,
    tokenRatios: createTokenRatios(),
    isClosedList: models.length > 0,
    models: () => (models.length > 0 ? models : (last?.models ?? [])),
    isLoading: () => look(saysItIsLoading),
    avoid: () => {
      avoidedUntil = clock.now() + avoidMs
    },
    isAvoided: () => clock.now() < avoidedUntil,
    proved: () => {
      avoidedUntil = Number.NEGATIVE_INFINITY
    },
    refusesKey: (detail) => {
      last = { ...(last ?? nothingKnown), ok: false, detail }
    },
    check: () => {
      asking ??= ask().finally(() => {
        asking = null
      })
      return asking
    },
    survey: () => last,
    window: (model, configured) =>
      learned.correct(model, configured ?? last?.windows.get(model) ?? last?.commonWindow ?? null),
    learnWindow: learned.learn,
    close: async () => {
      closing.abort()
      await asking
    },
  }
}

interface LearnedWindows {
  readonly learn: (model: string, tokens: number) => void
  /** An overflow error corrects whatever was believed before. */
  readonly correct: (model: string, told: number | null) => number | null
}

function createLearnedWindows(): LearnedWindows {
  const learned = new Map<string, number>()
  return {
    learn: (model, tokens) => {
      if (learned.size < mostLearned || learned.has(model)) learned.set(model, tokens)
    },
    correct: (model, told) => {
      const corrected = learned.get(model) ?? null
      return told === null || corrected === null ? (told ?? corrected) : Math.min(told, corrected)
    },
  }
}

async function lookAt<T>(
  ask: (get: (path: string) => Promise<unknown>) => Promise<T>,
  parts: Pick<ModelServerParts, 'pool' | 'clock' | 'failures'> & { readonly closing: AbortSignal },
): Promise<T> {
  const { pool, clock, failures, closing } = parts
  const loan = pool.borrow('look')
  const deadline = new AbortController()
  const cancel = clock.after(checkMs, () =>
    deadline.abort(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' })),
  )
  const signal = AbortSignal.any([deadline.signal, closing])
  try {
    return await ask((path) => loan.client.get(path, { signal, failures }))
  } finally {
    cancel()
    loan.end('none')
  }
}

async function saysItIsLoading(get: (path: string) => Promise<unknown>): Promise<boolean> {
  try {
    await get('models')
    // llama.cpp lists its models while it loads them
    await get('../health')
    return false
  } catch (error) {
    return error instanceof AppError && saysLoading(error)
  }
}
