import { createEventReader, positionAt } from './event-reader.ts'
import type { EventReaderParts } from './event-reader.ts'
import { findState } from './find-workflow.ts'
import type { Position } from './cursor.ts'
import { createSharedMoves } from './shared-moves.ts'
import type { WorkflowRef, WorkflowService } from './service.ts'
import { createWireTimes } from './wire.ts'
import type { WorkflowState } from './workflow.ts'

interface Opening {
  readonly workflow: WorkflowState
  readonly position: Position
}

/**
 * Opens readers. Those who ask for the same workflow and cursor while it is being looked up are looked up once: after
 * a restart hundreds come back with one cursor. What is good stays good, because a log only grows; what was refused
 * to one is looked up again for the next, because it may be there by now.
 */
export function createEventOpener(given: EventReaderParts): WorkflowService['openEvents'] {
  const parts = { sharedMoves: createSharedMoves(), times: createWireTimes(), ...given }
  const openings = new Map<string, Promise<Opening>>()

  const look = async (ref: WorkflowRef, cursor: string | null): Promise<Opening> => {
    const workflow = await findState(parts.store, ref)
    return { workflow, position: await positionAt(parts, workflow, cursor) }
  }
  const lookFirst = (ref: WorkflowRef, cursor: string | null, key: string): Promise<Opening> => {
    const opening = look(ref, cursor).finally(() => {
      if (openings.get(key) === opening) openings.delete(key)
    })
    openings.set(key, opening)
    return opening
  }

  return async (ref, cursor) => {
    const key = JSON.stringify([ref, cursor])
    const another = openings.get(key)?.catch(() => look(ref, cursor))
    const { workflow, position } = await (another ?? lookFirst(ref, cursor, key))
    return createEventReader(parts, workflow, position)
  }
}
