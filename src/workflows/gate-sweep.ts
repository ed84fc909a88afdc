import { AppError } from '../errors.ts'
import { everybody } from './principal.ts'
import { changeByVerb } from './verbs.ts'
import type { VerbParts } from './verbs.ts'

const mostAtOnce = 100

/** Closes open gates whose time is over, whoever runs their workflows; every replica may try, the row's lock decides. */
export async function closeExpiredGates(given: Omit<VerbParts, 'principal'>): Promise<void> {
  const parts = { ...given, principal: everybody }
  for (const { workflowId, stepIndex } of await parts.store.expiredGates(mostAtOnce)) {
    const ref = { kind: 'workflow', id: workflowId } as const
    await changeByVerb(parts, { ref }, (state) => {
      const expiresAt = state.steps[stepIndex]?.expiresAt ?? null
      if (expiresAt === null || expiresAt > parts.clock.now()) return null
      return { happening: { type: 'gate_expired', step: stepIndex } }
    }).catch(ignoreDeleted)
  }
}

function ignoreDeleted(error: unknown): void {
  if (!(error instanceof AppError) || error.code !== 'not-found') throw error
}
