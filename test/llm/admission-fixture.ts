import { type Admission, createAdmission } from '../../src/llm/admission.ts'
import type { EndpointLimits } from '../../src/llm/endpoint-load.ts'
import type { Target } from '../../src/llm/model.ts'
import { createHandClock, type HandClock } from '../support/hand-clock.ts'
import { targetOf } from './llm-fixture.ts'

/** Three endpoints with the same model. */
export const [a, b, c] = [targetOf({ endpoint: 'a' }), targetOf({ endpoint: 'b' }), targetOf({ endpoint: 'c' })]

export interface AdmissionStart {
  /** By the endpoint's name; by default they come in their order, without limits. */
  readonly limits?: Readonly<Record<string, Partial<EndpointLimits>>>
  /** By default one that never opens. */
  readonly breaker?: { readonly threshold: number; readonly openMs: number; readonly halfOpen: number }
}

export interface StartedAdmission {
  readonly admission: Admission
  readonly clock: HandClock
  readonly endpoints: readonly EndpointLimits[]
  /** Names of endpoints that are to be used only when no other can be. */
  readonly avoided: Set<string>
  /** The target asks to be left alone. */
  readonly close: (target: Target, waitMs: number) => void
}

const neverOpens = { threshold: 1_000_000, openMs: 1_000, halfOpen: 2 }

/** An admission to the three, under a hand clock. */
export function startAdmission({ limits = {}, breaker = neverOpens }: AdmissionStart = {}): StartedAdmission {
  const clock = createHandClock()
  const avoided = new Set<string>()
  const endpoints = ['a', 'b', 'c'].map((name, order) =>
    Object.assign({ name, order, maxInFlight: 0 }, limits[name] ?? {}),
  )
  const options = { endpoints, breaker, retryBudgetPercent: 20 }
  const isAvoided = (name: string): boolean => avoided.has(name)
  const admission = createAdmission(options, { clock, observe: () => {}, isAvoided })
  const close = (target: Target, waitMs: number): void =>
    admission.postpone(target, { kind: 'asked', waitMs, code: 'llm_error', reason: 'Wait.' })
  return { clock, avoided, endpoints, admission, close }
}
