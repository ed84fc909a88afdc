import { createEventReader, positionAt } from './event-reader.ts'
import type { EventReaderParts } from './event-reader.ts'
import { findState } from './find-workflow.ts'
import type { Principal } from './principal.ts'
import type { Position } from './cursor.ts'
import { createSharedMoves } from './shared-moves.ts'
import type { EventReader, WorkflowRef } from './service.ts'
import { createWireTimes } from './wire.ts'
import type { WorkflowState } from './workflow.ts'

/** What somebody wants to read: from the beginning, or from a cursor on. */
export interface Wanted {
  readonly ref: WorkflowRef
  readonly cursor: string | null
  readonly principal: Principal
}

/** Opens a reader. Throws `not-found`, `invalid-cursor`. */
export type EventOpener = (wanted: Wanted) => Promise<EventReader>

interface Opening {
  readonly workflow: WorkflowState
  readonly position: Position
}

/**
 * Opens readers, each for a principal. Those who ask for the same workflow and cursor while it is being looked up are looked up once: after
 * a restart hundreds come back with one cursor. What is good stays good, because a log only grows; what was refused
 * to one is looked up again for the next, because it may be there by now.
 */
export function createEventOpener(given: EventReaderParts): EventOpener {
  const parts = { sharedMoves: createSharedMoves(), times: createWireTimes(), ...given }
  const openings = new Map<string, Promise<Opening>>()

  const look = async ({ ref, cursor, principal }: Wanted): Promise<Opening> => {
    const workflow = await findState({ store: parts.store, principal }, ref)
    return { workflow, position: await positionAt(parts, workflow, cursor) }
  }
  const lookFirst = (wanted: Wanted, key: string): Promise<Opening> => {
    const opening = look(wanted).finally(() => {
      if (openings.get(key) === opening) openings.delete(key)
    })
    openings.set(key, opening)
    return opening
  }

  return async (wanted) => {
    const key = JSON.stringify(wanted)
    const another = openings.get(key)?.catch(() => look(wanted))
    const { workflow, position } = await (another ?? lookFirst(wanted, key))
    return createEventReader(parts, workflow, position)
  }
}
