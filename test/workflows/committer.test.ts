import { describe, expect, test } from 'vitest'

import { AppError } from '../../src/errors.ts'
import { commitForSure, sameClaim, untilAvailable } from '../../src/workflows/committer.ts'
import type { Change, WorkflowStore } from '../../src/workflows/store.ts'
import type { WorkflowState } from '../../src/workflows/workflow.ts'
import { change, event, firstClaim, state } from '../contract/fixtures.ts'

const patient = new AbortController().signal
const away = () => new AppError('unavailable', 'The database is away.')

type CommitOutcome = 'written' | 'refused' | 'lost before' | 'lost after' | 'late'

/** One workflow in memory; its commits end as they are told, the last outcome for ever. */
function memoryStore(start: WorkflowState, outcomes: readonly CommitOutcome[]) {
  const world = {
    found: start as WorkflowState | null,
    events: [...Array(start.seq)].map((_, n) => event(n + 1, 'step.queued')),
  }
  const commits: Change[] = []
  /** What was given up here and is still on its way. */
  const underWay: Change[] = []
  const write = (made: Change) => {
    if (world.found?.seq !== made.seen) return false
    if (made.guard.kind === 'runner' && !sameClaim(made.guard.claim, world.found.claim)) return false
    world.found = made.state
    world.events.push(...made.events)
    return true
  }
  const methods: Partial<WorkflowStore> = {
    async commit(made) {
      const outcome = outcomes[commits.length] ?? outcomes.at(-1) ?? 'written'
      commits.push(made)
      for (const late of underWay.splice(0)) write(late)
      if (outcome === 'refused') return false
      if (outcome === 'late') underWay.push(made)
      if (outcome === 'lost before' || outcome === 'late') throw away()
      const written = write(made)
      if (outcome === 'lost after') throw away()
      return written
    },
    load: async () => world.found,
    eventsAfter: async (_id, seq, limit) => {
      if (world.found === null) return null
      return { status: world.found.status, seq: world.found.seq, events: world.events.slice(seq, seq + limit) }
    },
  }
  return { store: methods as WorkflowStore, world, commits, write }
}

const before = state({ status: 'running', claim: firstClaim, seq: 3 })
const runner = { guard: { kind: 'runner', claim: firstClaim } } as const

describe.concurrent('a commit', () => {
  test('that is written or refused is taken at its word', async () => {
    const made = change(before, {}, runner)
    expect(await commitForSure(memoryStore(before, ['written']).store, made, patient)).toBe(true)
    expect(await commitForSure(memoryStore(before, ['refused']).store, made, patient)).toBe(false)
  })

  test('whose answer was lost is found done, and not repeated', async () => {
    const { store, commits, world } = memoryStore(before, ['lost after'])
    expect(await commitForSure(store, change(before, {}, runner), patient)).toBe(true)
    expect(commits).toHaveLength(1)
    expect(world.found?.seq).toBe(4)
  })

  test('that arrives after it was given up, just before the next try, is found done', async () => {
    const { store, commits, world } = memoryStore(before, ['late', 'written'])
    expect(await commitForSure(store, change(before, {}, runner), patient)).toBe(true)
    expect(commits).toHaveLength(2)
    expect(world.events).toHaveLength(4)
  })

  test('that is refused after an answer was lost is refused when somebody else has the claim', async () => {
    const { store, commits } = memoryStore(before, ['lost before', 'refused'])
    expect(await commitForSure(store, change(before, {}, runner), patient)).toBe(false)
    expect(commits).toHaveLength(2)
  })

  test('that never arrived is made again', async () => {
    const { store, commits, world } = memoryStore(before, ['lost before', 'lost before', 'lost after'])
    expect(await commitForSure(store, change(before, {}, runner), patient)).toBe(true)
    expect(commits).toHaveLength(3)
    expect(world.events).toHaveLength(4)
  })

  test('whose number a verb has used is refused, although the claim is still there', async () => {
    const { store, commits, write } = memoryStore(before, ['lost before'])
    const pending = commitForSure(store, change(before, {}, runner), patient)
    write(change(before, {}, { events: [event(4, 'step.approved', { correlationId: 'request-9' })] }))
    expect(await pending).toBe(false)
    expect(commits).toHaveLength(1)
  })

  test('is found done although others have written after it', async () => {
    const made = change(before, {}, runner)
    const { store, write } = memoryStore(before, ['lost after'])
    const pending = commitForSure(store, made, patient)
    write(change(made.state, {}, { events: [event(5, 'workflow.cancelled')] }))
    expect(await pending).toBe(true)
  })

  test('of somebody who has lost the claim meanwhile is refused', async () => {
    const { store, write, world } = memoryStore(before, ['lost before', 'written'])
    const pending = commitForSure(store, change(before, {}, runner), patient)
    write(change(before, { claim: { activation: 1, retry: 1 } }, { events: [] }))
    expect(await pending).toBe(false)
    expect(world.found?.seq).toBe(3)
  })

  test('without events is known by its claim', async () => {
    const claim = { activation: 1, retry: 1 }
    const made = change(before, { claim }, { events: [], guard: { kind: 'take', claim } })
    const done = memoryStore(before, ['lost after'])
    expect(await commitForSure(done.store, made, patient)).toBe(true)
    expect(done.commits).toHaveLength(1)
    const again = memoryStore(before, ['lost before', 'written'])
    expect(await commitForSure(again.store, made, patient)).toBe(true)
    expect(again.commits).toHaveLength(2)
  })

  test('without events is known by its job', async () => {
    const jobId = '00000000-0000-4000-8000-000000000000'
    const made = change(before, { activation: 2, jobId }, { events: [], ...runner })
    const done = memoryStore(before, ['lost after'])
    expect(await commitForSure(done.store, made, patient)).toBe(true)
    expect(done.commits).toHaveLength(1)
  })

  test('of a workflow that was deleted is refused', async () => {
    const { store, world } = memoryStore(before, ['lost before'])
    const pending = commitForSure(store, change(before, {}, runner), patient)
    world.found = null
    expect(await pending).toBe(false)
  })

  test('that fails for any other reason fails', async () => {
    const defect = new AppError('internal', 'a defect')
    const { store } = memoryStore(before, [])
    const broken = { ...store, commit: () => Promise.reject(defect) }
    await expect(commitForSure(broken, change(before, {}, runner), patient)).rejects.toBe(defect)
  })

  test('is given up when the process is', async () => {
    const leaving = new AbortController()
    const pending = untilAvailable(() => Promise.reject(away()), leaving.signal)
    leaving.abort()
    await expect(pending).rejects.toThrow()
  })
})
