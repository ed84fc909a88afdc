import { LineCounter, parseDocument, type Node } from 'yaml'
import { openReading, type Reading } from './reading.ts'
import { readRoot } from './read-nodes.ts'

/** Reads a `config.yaml`. `name` is how places call the file. An empty file gives nothing, a broken one faults. */
export function readYaml(content: string, name: string): Reading {
  const lines = new LineCounter()
  const document = parseDocument(content, { lineCounter: lines, prettyErrors: false, stringKeys: true })
  const reading = openReading()
  for (const { pos, code } of document.errors) {
    reading.faults.push({ place: `${name}:${lines.linePos(pos[0]).line}`, detail: syntaxFault(code) })
  }
  if (reading.faults.length > 0) return reading
  const placeOf = (node: unknown) => `${name}:${lines.linePos(offsetOf(node)).line}`
  readRoot({ document, reading, placeOf }, `${name}:1`)
  return reading
}

function offsetOf(node: unknown): number {
  return (node as Node | null)?.range?.[0] ?? 0
}

function syntaxFault(code: string): string {
  if (code === 'DUPLICATE_KEY') return 'the same key stands twice in one table'
  return `not valid YAML (${code.toLowerCase().replaceAll('_', ' ')})`
}
