import type { ClientPool } from './client-pool.ts'
import type { Clock } from './clock.ts'
import type { FailureContext } from './failures.ts'
import { surveyEndpoint, type Survey } from './model-catalogue.ts'
import type { LlmEvent } from './model.ts'

/** A model server: its pooled client, and what is known about it. */
export interface ModelServer {
  readonly name: string
  readonly pool: ClientPool
  readonly failures: FailureContext
  /** Asks it what it serves; one question at a time, whoever waits for it. */
  check(): Promise<void>
  /** The last answer; null before the first. */
  survey(): Survey | null
  /** Tokens of context of `model`, what is configured before what is listed; null while nobody has told. */
  window(model: string, configured: number | null): number | null
  /** A window that an overflow error told. */
  learnWindow(model: string, tokens: number): void
  close(): Promise<void>
}

const checkMs = 5_000
const mostLearned = 1_000

/** Nothing is asked before the first `check`. */
export function createModelServer(
  name: string,
  parts: {
    readonly pool: ClientPool
    readonly failures: FailureContext
    readonly clock: Clock
    readonly observe: (event: LlmEvent) => void
  },
): ModelServer {
  const { pool, failures, clock, observe } = parts
  const learned = new Map<string, number>()
  const closing = new AbortController()
  let last: Survey | null = null
  let asking: Promise<void> | null = null

  const ask = async (): Promise<void> => {
    const loan = pool.borrow('look')
    const deadline = new AbortController()
    const cancel = clock.after(checkMs, () =>
      deadline.abort(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' })),
    )
    const signal = AbortSignal.any([deadline.signal, closing.signal])
    try {
      const survey = await surveyEndpoint((path) => loan.client.get(path, signal))
      if (closing.signal.aborted) return
      last = survey.ok || last === null ? survey : { ...last, ok: false, detail: survey.detail }
      observe({ type: 'llm.endpoint_checked', endpoint: name, ok: last.ok, detail: last.detail, models: last.models })
    } finally {
      cancel()
      loan.end('none')
    }
  }

  return {
    name,
    pool,
    failures,
    check: () => {
      asking ??= ask().finally(() => {
        asking = null
      })
      return asking
    },
    survey: () => last,
    // an overflow error corrects whatever was believed before
    window: (model, configured) => {
      const told = configured ?? last?.windows.get(model) ?? last?.commonWindow ?? null
      const corrected = learned.get(model) ?? null
      return told === null || corrected === null ? (told ?? corrected) : Math.min(told, corrected)
    },
    learnWindow: (model, tokens) => {
      if (learned.size < mostLearned || learned.has(model)) learned.set(model, tokens)
    },
    close: async () => {
      closing.abort()
      await pool.destroy()
      await asking
    },
  }
}
