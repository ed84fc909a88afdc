import { expect } from 'vitest'

import { AppError } from '../../src/errors.ts'
import type { EventReader } from '../../src/workflows/service.ts'
import type { WorkflowStore } from '../../src/workflows/store.ts'
import { seenEvents } from '../support/followed-events.ts'
import type { SeenEvent } from '../support/followed-events.ts'
import { test } from '../support/engine-fixture.ts'
import { brief, openReader, readerParts, storeLog, textOf } from './event-log.ts'

const log = [
  'workflow.queued',
  'step.queued s@0',
  'workflow.started',
  'step.started s@1',
  ['step.completed s@1', textOf(300)],
  'step.queued s1@0',
  'step.started s1@1',
  ['step.completed s1@1', textOf(200)],
  'workflow.completed',
] as const

/** A store that is away for the n-th look, from 1. */
function failingOnce(store: WorkflowStore, n: number): WorkflowStore {
  let looks = 0
  const look = <T>(work: () => Promise<T>): Promise<T> => {
    looks += 1
    return looks === n ? Promise.reject(new AppError('unavailable', 'The database is away.')) : work()
  }
  return {
    ...store,
    eventsAfter: (...about) => look(() => store.eventsAfter(...about)),
    output: (...about) => look(() => store.output(...about)),
  }
}

/** Reads to the end as the edge does: after a failure it looks again. */
async function readThrough(reader: EventReader): Promise<readonly SeenEvent[]> {
  const events: SeenEvent[] = []
  for (;;) {
    const batch = await Promise.resolve(reader.read(32)).catch(() => null)
    events.push(...seenEvents(batch?.frames ?? []))
    if (batch?.done === true) return events
  }
}

test.for([1, 2, 3, 4])(
  'a database that is away for look %i at a log costs its reader nothing',
  async (n, { storage }) => {
    const id = await storeLog(storage.store, log, { status: 'completed', steps: ['s', 's1'] })
    const events = await readThrough(await openReader(readerParts(failingOnce(storage.store, n)), id))
    expect(brief(events)).toEqual([1, 2, 3, 4, 's@1 0–300', 5, 6, 7, 's1@1 0–200', 8, 9])
  },
)
