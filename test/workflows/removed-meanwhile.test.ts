import { expect } from 'vitest'

import { createEventOpener } from '../../src/workflows/open-events.ts'
import { everybody } from '../../src/workflows/principal.ts'
import { createReads } from '../../src/workflows/read-service.ts'
import type { ReadParts } from '../../src/workflows/read-service.ts'
import type { WorkflowStore } from '../../src/workflows/store.ts'
import { change } from '../contract/fixtures.ts'
import { test } from '../support/engine-fixture.ts'
import { cursorAt, readerParts, storeLog, textOf } from './event-log.ts'

const begun = ['workflow.queued', 'step.queued s@0', 'workflow.started', 'step.started s@1']
const kept = [...begun, ['step.completed s@1', textOf(1200)], 'workflow.completed'] as const

/** Reads of a store that deletes the workflow before it answers one of its questions. */
function readsOf(store: WorkflowStore, id: string, question: 'attempts' | 'artifacts' | 'artifact' | 'attemptsOpenAt') {
  const deleting = {
    ...store,
    [question]: async (...asked: never[]) => {
      expect(await store.remove(id)).toBe('removed')
      return (store[question] as (...values: never[]) => unknown)(...asked)
    },
  }
  const parts = readerParts(deleting)
  // of the rest nothing is asked
  return createReads({ ...parts, principal: everybody, openReader: createEventOpener(parts) } as ReadParts)
}

async function ended(store: WorkflowStore): Promise<string> {
  const id = await storeLog(store, kept, { status: 'completed' })
  const state = await store.load(id)
  if (state === null) throw new Error('it is not there')
  const steps = state.steps.map((step) => Object.assign({}, step, { attempt: 1, artifacts: ['a.py'] }))
  expect(await store.commit(change(state, { steps }, { changedSteps: [0] }))).toBe(true)
  return id
}

test('a workflow that is deleted while it is read is not there, rather than empty', async ({ storage: { store } }) => {
  const notFound = { code: 'not-found' }
  const first = await ended(store)
  const ref = (id: string) => ({ kind: 'workflow' as const, id })
  await expect(readsOf(store, first, 'artifacts').artifacts(ref(first))).rejects.toMatchObject(notFound)
  const second = await ended(store)
  await expect(readsOf(store, second, 'artifact').artifact(ref(second), 'a.py', null)).rejects.toMatchObject(notFound)
  const third = await ended(store)
  await expect(readsOf(store, third, 'attempts').step(third, 's')).rejects.toMatchObject(notFound)
  const fourth = await ended(store)
  const cursor = cursorAt(fourth, 4, { 's@1': 10 })
  await expect(readsOf(store, fourth, 'attemptsOpenAt').openEvents(ref(fourth), cursor)).rejects.toMatchObject(notFound)
})
