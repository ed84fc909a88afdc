import { atMost, between } from './size.ts'
import type { Finding, Size } from './size.ts'
import type { Served, World } from './world.ts'

export interface Scenario {
  readonly name: string
  /** On a queue that is empty, and that it may leave full. */
  run(world: World, size: Size): Promise<readonly Finding[]>
}

/** Places that went to others before each one's own: the longest such row. */
function longestWait(owners: readonly string[], of: string): number {
  return Math.max(
    ...owners
      .join(' ')
      .split(of)
      .map(
        (row) =>
          row
            .trim()
            .split(' ')
            .filter((name) => name !== '').length,
      ),
  )
}

function countOf(owners: readonly string[], of: string): number {
  return owners.filter((owner) => owner === of).length
}

/** Takes up so many places, which stay taken. */
async function occupy(world: World, places: number): Promise<void> {
  for (let n = 0; n < places; n += 1) await world.serve()
}

/** Gives a place away as soon as one is free; `onEnd` comes before that: nobody can be quicker. */
async function turnOver(
  world: World,
  { places, turns }: { places: number; turns: number },
  onEnd: (owner: string) => Promise<unknown>,
) {
  const running: Served[] = []
  const owners: string[] = []
  while (owners.length < turns) {
    if (running.length === places) {
      const ended = running.shift()
      if (ended) await world.end(ended)
      await onEnd(ended?.owner ?? '')
    }
    const served = await world.serve()
    if (served === null) break
    running.push(served)
    owners.push(served.owner)
  }
  return owners
}

const single: Scenario = {
  name: 'one workflow behind the backlog of another key',
  async run(world, { backlog }) {
    await world.submitMany('many', backlog)
    await occupy(world, 5)
    await world.submit('single')
    const before = (await world.serveAndEnd(3)).indexOf('single')
    await world.submit('single')
    const again = (await world.serveAndEnd(3)).indexOf('single')
    await world.submitMany('single', 3)
    const three = await world.serveAndEnd(6)
    return [
      atMost('free places that pass it by', 1, before === -1 ? Infinity : before),
      atMost('free places that pass its next one by', 1, again === -1 ? Infinity : again),
      atMost('free places before the last of three', 5, three.lastIndexOf('single')),
      between('of three, served in six places', [3, 3], countOf(three, 'single')),
    ]
  },
}

const even: Scenario = {
  name: 'two backlogs, the second one later',
  async run(world, { backlog, turns }) {
    await world.submitMany('first', backlog)
    await world.serveAndEnd(Math.floor(backlog / 10))
    await occupy(world, 5)
    await world.submitMany('second', backlog)
    const owners = await world.serveAndEnd(turns)
    const half = turns / 2
    return [
      between(`places of the first, of ${turns}`, [half - 3, half + 3], countOf(owners, 'first')),
      atMost('places that pass the first by', 3, longestWait(owners, 'first')),
      atMost('places that pass the second by', 3, longestWait(owners, 'second')),
    ]
  },
}

const closedLoop: Scenario = {
  name: 'a backlog, and a key that comes back the moment it is served',
  async run(world, { backlog, turns }) {
    await world.submitMany('backlog', backlog)
    await world.submit('loop')
    const owners = await turnOver(
      world,
      { places: 1, turns },
      async (owner) => owner === 'loop' && world.submit('loop'),
    )
    const half = turns / 2
    return [
      between(`places of the backlog, of ${turns}`, [half - 2, half + 2], countOf(owners, 'backlog')),
      atMost('places that pass the backlog by', 2, longestWait(owners, 'backlog')),
      atMost('places that pass the loop by', 2, longestWait(owners, 'loop')),
    ]
  },
}

const longRunning: Scenario = {
  name: 'the same, while a third key runs something long',
  async run(world, { backlog, turns }) {
    await world.submit('long')
    await world.serve()
    await world.submitMany('backlog', backlog)
    await world.submit('loop')
    const owners = await turnOver(
      world,
      { places: 1, turns },
      async (owner) => owner === 'loop' && world.submit('loop'),
    )
    return [
      atMost('places that pass the backlog by', 2, longestWait(owners, 'backlog')),
      atMost('places that pass the loop by', 2, longestWait(owners, 'loop')),
    ]
  },
}

const manyKeys: Scenario = {
  name: 'ten keys, one of which has much more than the others',
  async run(world, { backlog, turns }) {
    await world.submitMany('many', backlog)
    await occupy(world, 5)
    const others = Array.from({ length: 9 }, (_, n) => `key${n}`)
    for (const owner of others) await world.submitMany(owner, Math.ceil(turns / 10) + 1)
    const owners = await world.serveAndEnd(turns)
    const counts = [...others, 'many'].map((owner) => countOf(owners, owner))
    return [atMost('most places of a key − fewest', 2, Math.max(...counts) - Math.min(...counts))]
  },
}

const priorities: Scenario = {
  name: 'priorities come first, and each is fair',
  async run(world, { backlog }) {
    await world.submitMany('many', backlog)
    await occupy(world, 5)
    await world.submitMany('many', 4, 7)
    await world.submit('other', 7)
    await world.submit('other', -100)
    await world.submit('other', 100)
    const owners = await world.serveAndEnd(8)
    return [
      atMost('places that pass the highest by', 0, owners.indexOf('other')),
      atMost('places that pass the other of the higher priority by', 2, owners.indexOf('other', 1)),
      between('of those of higher priority, served in six places', [6, 6], 4 + countOf(owners.slice(0, 6), 'other')),
      between('of the lowest, served before the rest', [0, 0], countOf(owners.slice(6), 'other')),
    ]
  },
}

/** Everything that is promised of the order, over the real queue. */
export const scenarios: readonly Scenario[] = [single, even, closedLoop, longRunning, manyKeys, priorities]
