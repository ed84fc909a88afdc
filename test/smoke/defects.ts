import { registerHooks } from 'node:module'

// Loaded before the service (`--import`), it puts defects into it: errors that nobody planned, in a route, in the work on
// an answer, and in no work at all. Their messages quote every secret that the process was given in CANARY_SECRETS.

interface Defect {
  readonly file: string
  /** What the thrower is put after. */
  readonly after: string
  /** Condition, in the terms of the place. */
  readonly when: string
}

const defects: readonly Defect[] = [
  {
    file: '/src/http/mermaid.ts',
    after: 'export function mermaidOf(graph: GraphResource): string {',
    when: 'graph.nodes.length > 0',
  },
  {
    file: '/src/agents/extraction.ts',
    after: 'extract(text, { complete }) {',
    when: "text.includes('<defect>')",
  },
]

const thrower = "throw new TypeError('A defect: ' + process.env.CANARY_SECRETS)"

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    const defect = defects.find(({ file }) => url.endsWith(file))
    if (defect === undefined) return loaded
    const { source: code } = loaded
    const source = typeof code === 'string' ? code : new TextDecoder().decode(code)
    if (!source.includes(defect.after)) throw new Error(`${defect.file} has no place for a defect any more`)
    const text = source.replace(defect.after, `${defect.after} if (${defect.when}) ${thrower};`)
    return { ...loaded, source: text }
  },
})

process.on('SIGWINCH', () => void Promise.reject(new TypeError(`Nobody caught: ${process.env['CANARY_SECRETS']}`)))
