import { AppError } from '../errors.ts'
import { type BreakerOptions, type BreakerPass, createBreaker } from './breaker.ts'
import type { Clock } from './clock.ts'
import { createGate, type Gate, type NotBefore } from './gate.ts'
import type { LlmEvent, LlmStatus, Model, Permit, Target } from './model.ts'

/** Who may call which target when: one breaker and one not-before time per endpoint and model. */
export interface Admission {
  readonly admit: Model['admit']
  readonly whenReady: Model['whenReady']
  readonly readyInMs: Model['readyInMs']
  readonly refusal: Model['refusal']
  /** Takes up `permit`, or a new one without it. Throws `circuit_open`, or what the not-before time stands for. */
  takeUp(target: Target, permit: Permit | undefined): BreakerPass
  /** The target asked to be left alone. */
  postpone(target: Target, notBefore: NotBefore): void
  breakers(): LlmStatus['breakers']
  /** Drops what has been idle for an hour. */
  sweep(): void
  close(): void
}

const idleMs = 60 * 60 * 1000
const hurtingMs = 5 * 60 * 1000

interface Entry {
  readonly endpoint: string
  readonly model: string
  readonly gate: Gate
}

interface Held {
  readonly key: string
  readonly pass: BreakerPass
}

/** All breakers of a process. */
export function createAdmission(
  options: BreakerOptions,
  parts: { readonly clock: Clock; readonly observe: (event: LlmEvent) => void },
): Admission {
  const entries = new Map<string, Entry>()
  const held = new WeakMap<Permit, Held>()

  const gateOf = ({ endpoint, model }: Target): Gate => {
    const key = keyOf({ endpoint, model })
    const known = entries.get(key)
    if (known !== undefined) return known.gate
    const gate = createGate({
      clock: parts.clock,
      createBreaker: (changed) => createBreaker(options, { clock: parts.clock, changed }),
      changed: (state, retryInMs) => parts.observe({ type: 'llm.breaker_changed', endpoint, model, state, retryInMs }),
    })
    entries.set(key, { endpoint, model, gate })
    return gate
  }

  const admit = (target: Target): Permit | null => {
    const pass = gateOf(target).admit()
    if (pass === null) return null
    const permit: Permit = {
      release: () => {
        if (held.delete(permit)) pass.settle('neutral')
      },
    }
    held.set(permit, { key: keyOf(target), pass })
    return permit
  }

  const takeUp = (target: Target, permit: Permit | undefined): BreakerPass => {
    const given = permit === undefined ? undefined : held.get(permit)
    if (permit !== undefined && given?.key === keyOf(target)) {
      held.delete(permit)
      return given.pass
    }
    permit?.release()
    const pass = gateOf(target).admit()
    if (pass === null) throw refusal(target, gateOf(target))
    return pass
  }

  return {
    admit,
    takeUp,
    whenReady: (target, signal) => gateOf(target).whenReady(signal),
    readyInMs: (target) => gateOf(target).readyInMs(),
    refusal: (target) => (gateOf(target).readyInMs() > 0 ? refusal(target, gateOf(target)) : null),
    postpone: (target, notBefore) => gateOf(target).postpone(notBefore),
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

function keyOf({ endpoint, model }: { readonly endpoint: string; readonly model: string }): string {
  return `${endpoint}\n${model}`
}

function statusOf({ endpoint, model, gate }: Entry): LlmStatus['breakers'][number] {
  const state = gate.state()
  const hurting = state !== 'closed' && gate.hurtForMs() < hurtingMs
  return { endpoint, model, state, retryInMs: state === 'open' ? gate.readyInMs() : null, hurting }
}

function refusal({ endpoint, model }: Target, gate: Gate): AppError {
  const retryAfterMs = gate.readyInMs()
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1000))
  const details = { retryable: true, endpoint, retryAfterMs }
  const asked = gate.state() === 'closed' ? gate.postponed() : null
  if (asked !== null) return new AppError(asked.code, `${asked.reason} Next try in ${seconds} s.`, details)
  const where = `endpoint "${endpoint}", model "${model.slice(0, 100)}"`
  return new AppError('circuit_open', `Circuit breaker is OPEN for ${where}. Next try in ${seconds} s.`, details)
}
