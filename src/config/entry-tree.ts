/** Tables and lists by name and index. */
export type Tree = Record<string, unknown>

interface Leaf {
  readonly path: readonly string[]
  readonly value: unknown
}

/** Puts values where their paths say. A table may be missing before what it contains, a list may not. */
export function treeOf(entries: readonly Leaf[]): Tree {
  const tree: Tree = {}
  for (const { path, value } of entries) {
    const last = path.at(-1) ?? ''
    const table = path.slice(0, -1).reduce(descend, tree)
    // a role stands as an empty table before its settings, also where a stronger source has more of them
    if (!Object.hasOwn(table, last)) table[last] = structuredClone(value)
  }
  return tree
}

function descend(table: Tree, name: string): Tree {
  if (!Object.hasOwn(table, name)) table[name] = {}
  return table[name] as Tree
}
