import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createPlaces } from '../../src/workflows/places.ts'
import type { Place, PlaceRequest } from '../../src/workflows/places.ts'

type Request = PlaceRequest<true>

const never = new AbortController().signal

/** Asks for places and notes in which order they are given. */
function createDesk(max: number) {
  let freed = 0
  const places = createPlaces(max, () => (freed += 1))
  const admitted: string[] = []
  const held: Place[] = []
  return {
    places,
    admitted,
    held,
    freed: () => freed,
    ask(name: string, request: Partial<Request> = {}, signal: AbortSignal = never) {
      const usual: Request = { workflowId: name, priority: 0, createdAt: 0, begin: () => true }
      const asked = places.acquire({ ...usual, ...request }, signal)
      return asked.then(({ place }) => {
        admitted.push(name)
        held.push(place)
        return place
      })
    },
  }
}

describe('places', () => {
  test('are given at once while there are any', async () => {
    const { places, ask } = createDesk(2)
    await ask('a')
    await ask('b')
    expect([places.used(), places.free()]).toEqual([2, 0])
  })

  test('who waits gets the next that is given back', async () => {
    const { places, ask, admitted, freed } = createDesk(1)
    const first = await ask('a')
    const second = ask('b')
    expect([places.used(), places.free()]).toEqual([1, 0])
    first.release()
    await second
    expect(admitted).toEqual(['a', 'b'])
    expect([places.used(), freed()]).toEqual([1, 1])
  })

  test('a place given back twice is given back once', async () => {
    const { places, ask, freed } = createDesk(2)
    const place = await ask('a')
    await ask('b')
    place.release()
    place.release()
    expect([places.used(), places.free(), freed()]).toEqual([1, 1, 1])
  })

  test('who waits counts as taken, so that nobody fetches work for his place', async () => {
    const { places, ask, held } = createDesk(3)
    await Promise.all([ask('a'), ask('b'), ask('c')])
    const waiting = [ask('d'), ask('e')]
    expect(places.free()).toBe(0)
    for (const place of held.splice(0)) place.release()
    await Promise.all(waiting)
    expect([places.used(), places.free()]).toEqual([2, 1])
  })
})

describe('whether only more is wanted', () => {
  test('is true while all who wait have a place already', async () => {
    const { places, ask, held } = createDesk(2)
    const first = [ask('a1', { workflowId: 'a' }), ask('b')]
    await Promise.all(first)
    expect(places.onlyMoreIsWanted()).toBe(false)
    const second = ask('a2', { workflowId: 'a' })
    expect(places.onlyMoreIsWanted()).toBe(true)
    const other = ask('c')
    expect(places.onlyMoreIsWanted()).toBe(false)
    held.pop()?.release()
    await other
    expect(places.onlyMoreIsWanted()).toBe(true)
    held.shift()?.release()
    await second
    expect(places.onlyMoreIsWanted()).toBe(false)
  })
})

describe('the order', () => {
  async function orderOf(requests: Readonly<Record<string, Partial<Request>>>, before: readonly string[] = []) {
    const desk = createDesk(1 + before.length)
    const gate = await desk.ask('gate')
    for (const name of before) await desk.ask(name)
    desk.admitted.length = 0
    const all = Object.entries(requests).map(([name, request]) => desk.ask(name, request))
    gate.release()
    for (const one of all) void one.then((place) => place.release())
    await Promise.all(all)
    return desk.admitted
  }

  test('is priority first', async () => {
    expect(await orderOf({ low: { priority: -1 }, high: { priority: 5, createdAt: 9 }, usual: {} })).toEqual([
      'high',
      'usual',
      'low',
    ])
  })

  test('then the workflow with the fewest running tasks', async () => {
    const order = await orderOf({ busy2: { workflowId: 'b' }, busy1: { workflowId: 'a' }, idle: { createdAt: 9 } }, [
      'a',
      'b',
      'b',
    ])
    expect(order).toEqual(['idle', 'busy1', 'busy2'])
  })

  test('then age', async () => {
    expect(await orderOf({ young: { createdAt: 30 }, old: { createdAt: 10 }, middle: { createdAt: 20 } })).toEqual([
      'old',
      'middle',
      'young',
    ])
  })

  test('then who asked first', async () => {
    expect(await orderOf({ one: {}, two: {}, three: {} })).toEqual(['one', 'two', 'three'])
  })

  test('priority weighs more than a fair share', async () => {
    expect(await orderOf({ urgent: { workflowId: 'a', priority: 1 }, idle: {} }, ['a', 'a'])).toEqual([
      'urgent',
      'idle',
    ])
  })
})

describe('what cannot begin yet', () => {
  test('leaves the place to others, and is asked again when one is given back', async () => {
    const { places, ask, admitted } = createDesk(2)
    let isFull = true
    const first = ask('blocked', { priority: 9, begin: () => (isFull ? null : true) })
    const other = await ask('other')
    expect([admitted, places.used(), places.free()]).toEqual([['other'], 1, 0])
    isFull = false
    await turn()
    expect(admitted).toEqual(['other'])
    other.release()
    await first
    expect(admitted).toEqual(['other', 'blocked'])
  })
})

describe('who gives up waiting', () => {
  test('is told why, and takes no place', async () => {
    const { places, ask } = createDesk(1)
    const first = await ask('a')
    const leaving = new AbortController()
    const asked = ask('b', {}, leaving.signal)
    leaving.abort(new Error('cancelled'))
    await expect(asked).rejects.toThrow('cancelled')
    first.release()
    expect([places.used(), places.free()]).toEqual([0, 1])
  })

  test('before asking gets none', async () => {
    const { places, ask } = createDesk(1)
    await expect(ask('a', {}, AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone')
    expect(places.used()).toBe(0)
  })

  test('after being given one keeps it', async () => {
    const { places, ask } = createDesk(1)
    const leaving = new AbortController()
    const place = await ask('a', {}, leaving.signal)
    leaving.abort()
    expect(places.used()).toBe(1)
    place.release()
    expect(places.used()).toBe(0)
  })
})

describe('any coming and going', () => {
  const action = fc.oneof(
    fc.record({ kind: fc.constant('ask' as const), workflow: fc.nat(3), priority: fc.integer({ min: -2, max: 2 }) }),
    fc.record({ kind: fc.constant('release' as const), which: fc.nat(20) }),
    fc.record({ kind: fc.constant('abort' as const), which: fc.nat(20) }),
  )

  test('never exceeds the bound, leaves no place empty while somebody waits, and gives all back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(action, { maxLength: 40 }), async (max, actions) => {
        const { places, ask, held } = createDesk(max)
        const waiting = new Set<AbortController>()
        const pending: Promise<unknown>[] = []
        for (const each of actions) {
          if (each.kind === 'ask') {
            const giveUp = new AbortController()
            waiting.add(giveUp)
            const asked = ask(`w${each.workflow}`, { priority: each.priority }, giveUp.signal)
            pending.push(asked.catch(() => undefined).finally(() => waiting.delete(giveUp)))
          } else if (each.kind === 'release') held.splice(each.which % Math.max(1, held.length), 1)[0]?.release()
          else [...waiting][each.which]?.abort(new Error('gone'))
          await turn()
          expect(places.used()).toBe(held.length)
          expect(places.used()).toBeLessThanOrEqual(max)
          if (waiting.size > 0) expect(places.used()).toBe(max)
          expect(places.free()).toBe(Math.max(0, max - held.length - waiting.size))
        }
        while (held.length > 0) {
          held.pop()?.release()
          await turn()
        }
        await Promise.all(pending)
        expect([places.used(), places.free()]).toEqual([0, max])
      }),
    )
  })
})
