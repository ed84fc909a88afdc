import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createFollowers } from '../../src/workflows/followers.ts'
import type { Follower } from '../../src/workflows/followers.ts'

const never = new AbortController().signal

/** Notes how often a follower is woken, always waiting again. */
function watch(follower: Follower, signal: AbortSignal) {
  let wakes = 0
  const done = (async () => {
    for (;;) {
      await follower.changed(follower.version(), signal)
      wakes += 1
    }
  })().catch(() => undefined)
  return { wakes: () => wakes, done }
}

/** Lets everything that is due happen. */
async function settle() {
  await turn()
  await turn()
}

describe('followers', () => {
  test('are woken once for all that a turn of the event loop brings', async () => {
    const followers = createFollowers()
    const stop = new AbortController()
    const watches = [1, 2, 3].map(() => watch(followers.follow('wf'), stop.signal))
    for (let token = 0; token < 100; token += 1) followers.grew('wf')
    followers.advance('wf', 5)
    await settle()
    expect(watches.map((each) => each.wakes())).toEqual([1, 1, 1])
    followers.grew('wf')
    await settle()
    expect(watches.map((each) => each.wakes())).toEqual([2, 2, 2])
    stop.abort()
    await Promise.all(watches.map((each) => each.done))
  })

  test('hear of their own workflow only', async () => {
    const followers = createFollowers()
    const stop = new AbortController()
    const watched = watch(followers.follow('wf_1'), stop.signal)
    followers.grew('wf_2')
    followers.advance('wf_2', 1)
    await settle()
    expect(watched.wakes()).toBe(0)
    stop.abort()
    await watched.done
  })

  test('are woken by what another of them has read before anybody told it', async () => {
    const followers = createFollowers()
    const stop = new AbortController()
    const watched = watch(followers.follow('wf'), stop.signal)
    followers.follow('wf').learn(27)
    followers.advance('wf', 27)
    await settle()
    expect(watched.wakes()).toBe(1)
    stop.abort()
    await watched.done
  })

  test('are not woken by a number that is known already', async () => {
    const followers = createFollowers()
    const stop = new AbortController()
    const follower = followers.follow('wf')
    follower.learn(7)
    await settle()
    const watched = watch(follower, stop.signal)
    followers.advance('wf', 6)
    followers.advance('wf', 7)
    await settle()
    expect([watched.wakes(), follower.knownSeq()]).toEqual([0, 7])
    followers.advance('wf', 8)
    await settle()
    expect([watched.wakes(), follower.knownSeq()]).toEqual([1, 8])
    stop.abort()
    await watched.done
  })

  test('share what one of them has learned, and never unlearn', () => {
    const followers = createFollowers()
    const [one, two] = [followers.follow('wf'), followers.follow('wf')]
    one.learn(4)
    two.learn(3)
    expect([one.knownSeq(), two.knownSeq()]).toEqual([4, 4])
  })

  test('look again when their workflow may have been deleted', async () => {
    const followers = createFollowers()
    const follower = followers.follow('wf')
    follower.learn(9)
    const woken = follower.changed(follower.version(), never)
    followers.advance('wf', null)
    await woken
    expect(follower.knownSeq()).toBeGreaterThan(9)
  })

  test('who missed something while away is told at once', async () => {
    const followers = createFollowers()
    const follower = followers.follow('wf')
    const version = follower.version()
    followers.grew('wf')
    await settle()
    await follower.changed(version, never)
    expect(follower.version()).toBe(version + 1)
  })

  test('who gives up is told why', async () => {
    const follower = createFollowers().follow('wf')
    const leaving = new AbortController()
    const waiting = follower.changed(follower.version(), leaving.signal)
    leaving.abort(new Error('left'))
    await expect(waiting).rejects.toThrow('left')
    await expect(follower.changed(follower.version(), leaving.signal)).rejects.toThrow('left')
  })
})

test('who listens is told of every turn that brought something, until he stops', async () => {
  const followers = createFollowers()
  const [one, other] = [followers.follow('one'), followers.follow('other')]
  const told: string[] = []
  const stops = [one.onChange(() => told.push('a')), one.onChange(() => told.push('b'))]
  other.onChange(() => told.push('c'))
  followers.grew('one')
  followers.grew('one')
  followers.grew('other')
  expect(told).toEqual([])
  await settle()
  expect(told).toEqual(['a', 'b', 'c'])
  stops[0]?.()
  stops[0]?.()
  followers.advance('one', 5)
  await settle()
  expect(told.slice(3)).toEqual(['b'])
})

describe('closing', () => {
  test('forgets a workflow with its last follower, however often one closes', () => {
    const followers = createFollowers()
    const [one, two] = [followers.follow('wf_1'), followers.follow('wf_1')]
    followers.follow('wf_2')
    one.close()
    one.close()
    expect(followers.followedIds()).toEqual(['wf_1', 'wf_2'])
    two.close()
    expect(followers.followedIds()).toEqual(['wf_2'])
  })

  test('of an old follower leaves a new one alone', () => {
    const followers = createFollowers()
    const old = followers.follow('wf')
    old.close()
    const current = followers.follow('wf')
    old.close()
    followers.advance('wf', 3)
    expect([followers.followedIds(), current.knownSeq(), old.knownSeq()]).toEqual([['wf'], 3, 0])
  })
})

describe('any interleaving', () => {
  test('loses no wake-up: every reader sees the last of what was said', async () => {
    const event = fc.constantFrom('say', 'commit', 'turn', 'microtask', 'poke other')
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { maxLength: 30 }),
        fc.array(fc.nat(3), { minLength: 1, maxLength: 4 }),
        async (events, delays) => {
          const followers = createFollowers()
          const said = { text: 0, seq: 0 }
          const stop = new AbortController()
          const readers = delays.map((delay) =>
            startReader(followers.follow('wf'), { said, delay, signal: stop.signal }),
          )
          for (const each of events) {
            if (each === 'say') {
              said.text += 1
              followers.grew('wf')
            } else if (each === 'commit') {
              said.seq += 1
              followers.advance('wf', said.seq)
            } else if (each === 'turn') await turn()
            else if (each === 'microtask') await Promise.resolve()
            else followers.grew('wf_other')
          }
          for (let round = 0; round < 8; round += 1) await turn()
          for (const reader of readers) expect(reader.seen).toEqual(said)
          stop.abort()
          await Promise.all(readers.map((reader) => reader.done))
        },
      ),
      { numRuns: 60 },
    )
  })
})

interface ReaderWork {
  readonly said: { readonly text: number; readonly seq: number }
  /** Turns of the event loop that one look takes. */
  readonly delay: number
  readonly signal: AbortSignal
}

/** Reads as an event reader does: notes the version, looks, waits for a change since. */
function startReader(follower: Follower, { said, delay, signal }: ReaderWork) {
  const reader = { seen: { text: 0, seq: 0 }, done: Promise.resolve() }
  reader.done = (async () => {
    while (!signal.aborted) {
      const version = follower.version()
      const found = { ...said }
      for (let step = 0; step < delay; step += 1) await turn()
      reader.seen = found
      await follower.changed(version, signal)
    }
  })().catch(() => undefined)
  return reader
}
