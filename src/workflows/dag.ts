import type { InputFault } from '../errors.ts'

interface Node {
  readonly id: string
  readonly dependsOn: readonly string[]
}

/** Steps that `id` depends on, directly or not, in the order of `nodes`. Terminates on cycles too. */
export function ancestors(nodes: readonly Node[], id: string): readonly string[] {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const found = new Set<string>()
  const open = [...(byId.get(id)?.dependsOn ?? [])]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (found.has(next)) continue
    found.add(next)
    open.push(...(byId.get(next)?.dependsOn ?? []))
  }
  return nodes.filter((node) => found.has(node.id)).map((node) => node.id)
}

/** Steps that depend on `id`, directly or not. */
export function descendants(nodes: readonly Node[], id: string): ReadonlySet<string> {
  return new Set(nodes.filter((node) => ancestors(nodes, node.id).includes(id)).map((node) => node.id))
}

/** Every reason why `nodes` is no DAG: a duplicate id, an unknown dependency, a cycle. Pointers are into `/steps`. */
export function dagFaults(nodes: readonly Node[]): readonly InputFault[] {
  const known = new Set(nodes.map((node) => node.id))
  const seen = new Set<string>()
  const faults: InputFault[] = []
  nodes.forEach((node, index) => {
    if (seen.has(node.id)) faults.push({ pointer: `/steps/${index}/id`, detail: `step "${node.id}" is there twice` })
    seen.add(node.id)
    node.dependsOn.forEach((dependency, position) => {
      const pointer = `/steps/${index}/depends_on/${position}`
      if (!known.has(dependency)) {
        faults.push({ pointer, detail: `step "${node.id}" depends on "${dependency}", which is not there` })
      } else if (dependency === node.id) {
        faults.push({ pointer, detail: `step "${node.id}" depends on itself` })
      }
    })
  })
  return faults.length > 0 ? faults : cycleFaults(nodes)
}

function cycleFaults(nodes: readonly Node[]): readonly InputFault[] {
  const inCycle = nodes.filter((node) => ancestors(nodes, node.id).includes(node.id)).map((node) => node.id)
  if (inCycle.length === 0) return []
  return nodes.flatMap((node, index) =>
    inCycle.includes(node.id)
      ? [
          {
            pointer: `/steps/${index}/depends_on`,
            detail: `step "${node.id}" is part of a cycle: ${inCycle.join(', ')}`,
          },
        ]
      : [],
  )
}
