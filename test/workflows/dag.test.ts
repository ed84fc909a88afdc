import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ancestors, dagFaults, descendants } from '../../src/workflows/dag.ts'

type Edges = Readonly<Record<string, readonly string[]>>

function nodesOf(edges: Edges) {
  return Object.entries(edges).map(([id, dependsOn]) => ({ id, dependsOn }))
}

function pointersOf(nodes: readonly { id: string; dependsOn: readonly string[] }[]) {
  return dagFaults(nodes).map((fault) => fault.pointer)
}

describe('faults', () => {
  test('a DAG has none, in whatever order it is given', () => {
    expect(dagFaults(nodesOf({ d: ['b', 'c'], b: ['a'], c: ['a'], a: [] }))).toEqual([])
    expect(dagFaults([])).toEqual([])
  })

  test('a duplicate id is named where it is there again', () => {
    const nodes = [
      { id: 'a', dependsOn: [] },
      { id: 'b', dependsOn: [] },
      { id: 'a', dependsOn: [] },
    ]
    expect(dagFaults(nodes)).toEqual([{ pointer: '/steps/2/id', detail: 'step "a" is there twice' }])
  })

  test('an unknown dependency is named with its place', () => {
    expect(dagFaults(nodesOf({ a: [], b: ['a', 'x'] }))).toEqual([
      { pointer: '/steps/1/depends_on/1', detail: 'step "b" depends on "x", which is not there' },
    ])
  })

  test('a step must not depend on itself', () => {
    expect(dagFaults(nodesOf({ a: [], b: ['a', 'b'] }))).toEqual([
      { pointer: '/steps/1/depends_on/1', detail: 'step "b" depends on itself' },
    ])
  })

  test('a cycle names all its steps, and not those behind it', () => {
    const faults = dagFaults(nodesOf({ start: [], a: ['start', 'c'], b: ['a'], c: ['b'], after: ['c'] }))
    expect(faults.map((fault) => fault.pointer)).toEqual([
      '/steps/1/depends_on',
      '/steps/2/depends_on',
      '/steps/3/depends_on',
    ])
    expect(faults[0]?.detail).toBe('step "a" is part of a cycle: a, b, c')
  })

  test('all of them are told at once', () => {
    const nodes = [
      { id: 'a', dependsOn: ['x'] },
      { id: 'a', dependsOn: ['y', 'a'] },
    ]
    expect(pointersOf(nodes)).toEqual([
      '/steps/0/depends_on/0',
      '/steps/1/id',
      '/steps/1/depends_on/0',
      '/steps/1/depends_on/1',
    ])
  })
})

describe('ancestors', () => {
  const diamond = nodesOf({ report: ['left', 'right'], left: ['root'], right: ['root'], root: [], alone: [] })

  test('are all that a step depends on, directly or not, in the order of the nodes', () => {
    expect(ancestors(diamond, 'report')).toEqual(['left', 'right', 'root'])
    expect(ancestors(diamond, 'left')).toEqual(['root'])
    expect(ancestors(diamond, 'root')).toEqual([])
  })

  test('are none of what is not there', () => {
    expect(ancestors(diamond, 'nobody')).toEqual([])
  })
})

describe('descendants', () => {
  const diamond = nodesOf({ report: ['left', 'right'], left: ['root'], right: ['root'], root: [], alone: [] })

  test('are all that depend on a step, directly or not', () => {
    expect(descendants(diamond, 'root')).toEqual(new Set(['report', 'left', 'right']))
    expect(descendants(diamond, 'left')).toEqual(new Set(['report']))
  })

  test('are none of a last step, of one that stands alone, and of what is not there', () => {
    for (const id of ['report', 'alone', 'nobody']) expect(descendants(diamond, id)).toEqual(new Set())
  })
})

describe('any graph', () => {
  const graph = fc.array(fc.array(fc.nat(9), { maxLength: 3 }), { minLength: 1, maxLength: 10 }).map((lists) =>
    lists.map((list, index) => ({
      id: `s${index}`,
      dependsOn: [...new Set(list.filter((other) => other < lists.length))].map((other) => `s${other}`),
    })),
  )

  test('has no fault exactly when its steps can be put in an order', () => {
    fc.assert(
      fc.property(graph, (nodes) => {
        const done = new Set<string>()
        for (const _ of nodes) {
          for (const { id, dependsOn } of nodes) if (dependsOn.every((other) => done.has(other))) done.add(id)
        }
        expect(dagFaults(nodes).length === 0).toBe(done.size === nodes.length)
      }),
    )
  })

  test('has a step among the descendants of each of its ancestors, and of no other', () => {
    fc.assert(
      fc.property(graph, (nodes) => {
        for (const { id } of nodes) {
          const above = nodes.filter((node) => descendants(nodes, node.id).has(id)).map((node) => node.id)
          expect(above).toEqual(ancestors(nodes, id))
        }
      }),
    )
  })

  test('has the ancestors of a step in all that comes after it', () => {
    fc.assert(
      fc.property(graph, (nodes) => {
        for (const { id, dependsOn } of nodes) {
          const expected = new Set(dependsOn.concat(dependsOn.flatMap((other) => ancestors(nodes, other))))
          expect(new Set(ancestors(nodes, id))).toEqual(expected)
        }
      }),
    )
  })
})
