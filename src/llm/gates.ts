import { AppError } from '../errors.ts'
import { type BreakerOptions, createBreaker } from './breaker.ts'
import type { Clock } from './clock.ts'
import { createGate, type Gate } from './gate.ts'
import type { LlmEvent, LlmStatus, Target } from './model.ts'

type Place = Pick<Target, 'endpoint' | 'model'>

/** One gate per endpoint and model. */
export interface Gates {
  of(target: Place): Gate
  readonly breakers: () => LlmStatus['breakers']
  /** Drops what has been idle for an hour. */
  readonly sweep: () => void
  readonly close: () => void
}

const idleMs = 60 * 60 * 1000
const hurtingMs = 5 * 60 * 1000

/** All gates of a process. */
export function createGates(
  options: BreakerOptions,
  { clock, observe }: { readonly clock: Clock; readonly observe: (event: LlmEvent) => void },
): Gates {
  const entries = new Map<string, Place & { readonly gate: Gate }>()
  return {
    of: ({ endpoint, model }) => {
      const key = `${endpoint}\n${model}`
      const known = entries.get(key)
      if (known !== undefined) return known.gate
      const gate = createGate({
        clock,
        createBreaker: (changed) => createBreaker(options, { clock, changed }),
        changed: (state, retryInMs) => observe({ type: 'llm.breaker_changed', endpoint, model, state, retryInMs }),
      })
      entries.set(key, { endpoint, model, gate })
      return gate
    },
    breakers: () => [...entries.values()].map(statusOf),
    sweep: () => {
      for (const [key, { gate }] of entries) {
        if (gate.idleForMs() < idleMs) continue
        gate.close()
        entries.delete(key)
      }
    },
    close: () => {
      for (const { gate } of entries.values()) gate.close()
    },
  }
}

function statusOf({ endpoint, model, gate }: Place & { readonly gate: Gate }): LlmStatus['breakers'][number] {
  const state = gate.state()
  const hurting = state !== 'closed' && gate.hurtForMs() < hurtingMs
  return { endpoint, model, state, retryInMs: state === 'open' ? gate.readyInMs() : null, hurting }
}

/** What a call that a gate keeps out fails with. */
export function refusalBy(gate: Gate, { endpoint, model }: Place): AppError {
  const retryAfterMs = gate.readyInMs()
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1000))
  const details = { retryable: true, endpoint, retryAfterMs }
  const asked = gate.state() === 'closed' ? gate.postponed() : null
  if (asked !== null) return new AppError(asked.code, `${asked.reason} Next try in ${seconds} s.`, details)
  const where = `endpoint "${endpoint}", model "${model.slice(0, 100)}"`
  return new AppError('circuit_open', `Circuit breaker is OPEN for ${where}. Next try in ${seconds} s.`, details)
}
