import { describe, expect, test } from 'vitest'

import { createChangeLine } from '../../src/workflows/change-line.ts'
import type { ChangeLineParts, DecidedChange, WantedChange } from '../../src/workflows/change-line.ts'
import type { PlannedChange } from '../../src/workflows/planned-change.ts'
import { artifact, firstClaim, state } from '../contract/fixtures.ts'

type Outcome = 'stored' | 'again' | 'refused' | Error

interface World {
  /** Names of the changes that are in the state, stored or not. */
  seen: string[]
  stored: string[]
  /** Names of the changes in each try to store. */
  readonly commits: (readonly string[])[]
  readonly claims: boolean[]
  shown: number
}

interface LineOptions {
  /** What comes of each try to store; afterwards all are stored. */
  readonly outcomes?: readonly Outcome[]
  /** What the state allows. */
  readonly allows?: (name: string, seen: readonly string[]) => boolean
  readonly onShow?: () => boolean
  /** What somebody else had stored when it is `again`. */
  readonly others?: readonly string[]
}

function nameOf({ happening }: PlannedChange): string {
  return 'feedback' in happening ? (happening.feedback ?? '') : happening.type
}

/** A happening with a name in place of all that it may be about. */
function named(name: string, files: readonly string[] = []): PlannedChange {
  return {
    happening: { type: 'rejected', step: 0, feedback: name, maxRevisions: 1 },
    artifacts: files.map((path) => artifact(path)),
  }
}

function want(name: string, changes: Partial<WantedChange> = {}): WantedChange {
  return { plan: async () => named(name), take: null, ...changes }
}

/** A line over a list of names. */
function openLine({ outcomes = [], allows = () => true, onShow = () => false, others = [] }: LineOptions = {}) {
  const world: World = { seen: [], stored: [], commits: [], claims: [], shown: 0 }
  const parts: ChangeLineParts = {
    decide(planned) {
      const name = nameOf(planned)
      if (name === 'broken') throw new Error('it cannot even be decided')
      if (!allows(name, world.seen)) return null
      world.seen.push(name)
      return { state: state(), events: [], changedSteps: [], attempts: [], completeJob: null, sendJob: false }
    },
    async commit(decided: readonly DecidedChange[]) {
      const outcome = outcomes[world.commits.length] ?? 'stored'
      world.commits.push(decided.map(({ planned }) => nameOf(planned)))
      world.claims.push(decided[0]?.wanted.take !== null)
      if (outcome instanceof Error) throw outcome
      if (outcome === 'again') world.stored.push(...others)
      if (outcome === 'stored') world.stored = [...world.seen]
      else world.seen = [...world.stored]
      return outcome
    },
    revert: () => void (world.seen = [...world.stored]),
    show() {
      world.shown += 1
      return onShow()
    },
  }
  return { line: createChangeLine(parts), world }
}

const defect = new Error('the database refused a statement')

describe.concurrent('what waits together', () => {
  test('is stored together, in its order', async () => {
    const { line, world } = openLine()
    const made = ['a', 'b', 'c'].map((name) => line.make(want(name)))
    expect(await Promise.all(made)).toEqual([true, true, true])
    expect(world.commits).toEqual([['a', 'b', 'c']])
  })

  test('is stored with what comes of it within a turn of the event loop', async () => {
    const later: Promise<boolean>[] = []
    const { line, world } = openLine({
      onShow: () => {
        if (later.length === 0) later.push(line.make(want('what became ready')))
        return true
      },
    })
    expect(await line.make(want('a'))).toBe(true)
    expect(await Promise.all(later)).toEqual([true])
    expect(world.commits).toEqual([['a', 'what became ready']])
  })

  test('is stored in parts when it is a lot', async () => {
    const { line, world } = openLine()
    const names = Array.from({ length: 40 }, (_, n) => `${n}`)
    await Promise.all(names.map((name) => line.make(want(name))))
    expect(world.stored).toEqual(names)
    expect(world.commits.map(({ length }) => length)).toEqual([16, 16, 8])
  })

  test('is stored before what comes while it is stored', async () => {
    const { line, world } = openLine()
    const first = line.make(want('a')).then(() => line.make(want('b')))
    expect(await first).toBe(true)
    expect(world.commits).toEqual([['a'], ['b']])
  })
})

describe.concurrent('a batch', () => {
  test('begins with a change that takes the claim', async () => {
    const { line, world } = openLine()
    await Promise.all([line.make(want('a')), line.make(want('take', { take: firstClaim })), line.make(want('b'))])
    expect(world.commits).toEqual([['a'], ['take', 'b']])
    expect(world.claims).toEqual([false, true])
  })

  test('holds one change with files, because the next counts its versions from what is stored', async () => {
    const { line, world } = openLine()
    const plans: string[] = []
    const withFiles = (name: string) =>
      want(name, {
        async plan() {
          plans.push(`${name} on ${world.stored.join()}`)
          return named(name, [`${name}.ts`])
        },
      })
    await Promise.all([line.make(withFiles('a')), line.make(withFiles('b')), line.make(want('c'))])
    expect(world.commits).toEqual([['a'], ['b', 'c']])
    expect(plans).toEqual(['a on ', 'b on ', 'b on a'])
  })

  test('that somebody else was faster than is decided again on the new state', async () => {
    const { line, world } = openLine({
      outcomes: ['again'],
      others: ['cancelled'],
      allows: (name, seen) => name !== 'b' || !seen.includes('cancelled'),
    })
    const made = ['a', 'b', 'c'].map((name) => line.make(want(name)))
    expect(await Promise.all(made)).toEqual([true, false, true])
    expect(world.commits).toEqual([
      ['a', 'b', 'c'],
      ['a', 'c'],
    ])
  })

  test('that is refused is refused whole', async () => {
    const { line, world } = openLine({ outcomes: ['refused'] })
    expect(await Promise.all([line.make(want('a')), line.make(want('b'))])).toEqual([false, false])
    expect(world.stored).toEqual([])
  })

  test('is stored one by one when it cannot be stored together, and only the bad one fails', async () => {
    const { line, world } = openLine({ outcomes: [defect, 'stored', defect, 'stored'] })
    const made = ['a', 'bad', 'c'].map((name) => line.make(want(name)))
    expect(await Promise.allSettled(made)).toEqual([
      { status: 'fulfilled', value: true },
      { status: 'rejected', reason: defect },
      { status: 'fulfilled', value: true },
    ])
    expect(world.commits).toEqual([['a', 'bad', 'c'], ['a'], ['bad'], ['c']])
    expect(world.stored).toEqual(['a', 'c'])
  })
})

describe.concurrent('what the state does not allow', () => {
  const onlyWithout = (name: string, seen: readonly string[]) => name !== 'b' || !seen.includes('a')

  test('is told at once, and keeps nobody', async () => {
    const { line, world } = openLine({ allows: (name) => name !== 'a' })
    expect(await Promise.all([line.make(want('a')), line.make(want('b'))])).toEqual([false, true])
    expect(world.commits).toEqual([['b']])
  })

  test('is refused because of a change that is then stored', async () => {
    const { line, world } = openLine({ allows: onlyWithout })
    expect(await Promise.all([line.make(want('a')), line.make(want('b'))])).toEqual([true, false])
    expect(world.commits).toEqual([['a']])
  })

  test('is not refused because of a change that could not be stored', async () => {
    const { line, world } = openLine({ allows: onlyWithout, outcomes: [defect, defect] })
    const made = [line.make(want('a')), line.make(want('b'))]
    expect(await Promise.allSettled(made)).toEqual([
      { status: 'rejected', reason: defect },
      { status: 'fulfilled', value: true },
    ])
    expect(world.stored).toEqual(['b'])
  })

  test('is not refused because of a change that somebody else has made impossible', async () => {
    const allows = (name: string, seen: readonly string[]) =>
      onlyWithout(name, seen) && !(name === 'a' && seen.includes('cancelled'))
    const { line, world } = openLine({ allows, outcomes: ['again'], others: ['cancelled'] })
    expect(await Promise.all([line.make(want('a')), line.make(want('b'))])).toEqual([false, true])
    expect(world.stored).toEqual(['cancelled', 'b'])
  })
})

describe.concurrent('a change that fails before it is stored', () => {
  test.for(['planned', 'decided'])('because it cannot be %s takes no other along', async (how) => {
    const { line, world } = openLine()
    const failing = how === 'planned' ? want('x', { plan: () => Promise.reject(defect) }) : want('broken')
    const made = [line.make(want('a')), line.make(failing), line.make(want('b'))]
    const [, failed] = await Promise.allSettled(made)
    expect(failed?.status).toBe('rejected')
    expect(world.commits).toEqual([['a', 'b']])
    expect(await line.make(want('c'))).toBe(true)
  })
})

test('work between changes waits until those before it are stored, and those after it wait for it', async () => {
  const { line, world } = openLine()
  const order: string[] = []
  const made = line.make(want('a'))
  const worked = line.between(async () => void order.push(`work on ${world.stored.join()}`))
  const after = line.between(() => Promise.reject(defect))
  await Promise.all([made, worked, expect(after).rejects.toBe(defect)])
  expect(await line.make(want('b'))).toBe(true)
  expect(order).toEqual(['work on a'])
})
