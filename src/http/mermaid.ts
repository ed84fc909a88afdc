import type { GraphResource } from '../workflows/resources.ts'

const colours: Readonly<Record<GraphResource['status'] | GraphResource['nodes'][number]['status'], string>> = {
  pending: 'fill:#f3f4f6,stroke:#9ca3af,color:#111827',
  queued: 'fill:#e0e7ff,stroke:#6366f1,color:#111827',
  running: 'fill:#dbeafe,stroke:#2563eb,color:#111827',
  waiting: 'fill:#fef3c7,stroke:#d97706,color:#111827',
  completed: 'fill:#dcfce7,stroke:#16a34a,color:#111827',
  incomplete: 'fill:#ffedd5,stroke:#ea580c,color:#111827',
  failed: 'fill:#fee2e2,stroke:#dc2626,color:#111827',
  skipped: 'fill:#f3f4f6,stroke:#9ca3af,color:#6b7280',
  cancelled: 'fill:#e5e7eb,stroke:#6b7280,color:#374151',
}

function label(text: string): string {
  return text.replace(/["<>&#;]/g, (character) => `#${character.charCodeAt(0)};`)
}

/** The graph as a Mermaid flowchart. Nodes are numbered, because a step may be called `end`, a word of the language. */
export function mermaidOf(graph: GraphResource): string {
  const names = new Map(graph.nodes.map((node, index) => [node.id, `s${index}`]))
  const nodes = graph.nodes.map(
    (node) =>
      `  ${names.get(node.id)}["${label(node.id)}<br/>${label(node.role)}<br/>${node.status}"]:::${node.status}`,
  )
  const edges = graph.edges.map(({ from, to }) => `  ${names.get(from)} --> ${names.get(to)}`)
  const used = [...new Set(graph.nodes.map((node) => node.status))]
  const classes = used.map((status) => `  classDef ${status} ${colours[status]}`)
  return `${['flowchart TD', ...nodes, ...edges, ...classes].join('\n')}\n`
}
