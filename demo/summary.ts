import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

import { formatCount, formatDuration, formatQuantity } from './notice-text.ts'
import type { Palette } from './palette.ts'
import type { Scenario } from './scenarios.ts'
import { EventError, Usage } from './stream-event.ts'

/** A file as `GET /workflows/:id/artifacts` lists it. */
export const ArtifactEntry = Type.Object({ path: Type.String(), role: Type.String(), bytes: Type.Number() })
/** A file as `GET /workflows/:id/artifacts` lists it. */
export type ArtifactEntry = Static<typeof ArtifactEntry>

/** What the summary needs of the workflow resource. */
export const WorkflowResult = Type.Object({
  status: Type.String(),
  usage: Usage,
  duration_ms: Type.Number(),
  error: Type.Optional(Type.Union([EventError, Type.Null()])),
})
/** What the summary needs of the workflow resource. */
export type WorkflowResult = Static<typeof WorkflowResult>

/** Everything that the last screen tells. */
export interface SummaryParts {
  readonly workflow: WorkflowResult
  readonly artifacts: readonly ArtifactEntry[]
  readonly scenario: Scenario
  /** Server to name in the call to try next. */
  readonly llmUrl: string
  /** From the start of the demo to the end of the workflow. */
  readonly elapsedMs: number
  readonly palette: Palette
}

/** The last screen: outcome, tree of files, usage, time, and how to call the service oneself. Ends with a newline. */
export function formatSummary(parts: SummaryParts): string {
  const { workflow, artifacts, palette, elapsedMs } = parts
  const good = workflow.status === 'completed'
  const outcome = `${good ? '✔' : '✗'} The workflow is ${workflow.status}`
  const why = workflow.error ? `: ${workflow.error.message}` : ''
  return [
    '',
    palette.bold(good ? palette.good(outcome) : palette.bad(`${outcome}${why}`)),
    '',
    ...formatFiles(artifacts, palette),
    `${palette.bold('Usage')}  ${formatUsage(workflow.usage)}`,
    `${palette.bold('Time')}   ${formatDuration(workflow.duration_ms)} for the workflow, ${formatDuration(elapsedMs)} in all`,
    '',
    ...formatTryIt(parts),
    '',
  ].join('\n')
}

function formatUsage(usage: Usage): string {
  const figures = [
    `${formatCount(usage.input_tokens)} tokens in`,
    `${formatCount(usage.output_tokens)} tokens out`,
    formatQuantity(usage.llm_calls ?? 0, 'model call'),
  ]
  if (typeof usage.cost_usd === 'number') figures.push(`${usage.cost_usd.toFixed(4)} USD`)
  return `${figures.join(' · ')}${usage.estimated === true ? ' (partly estimated)' : ''}`
}

interface Folder {
  readonly folders: Map<string, Folder>
  readonly files: Map<string, ArtifactEntry>
}

function formatFiles(artifacts: readonly ArtifactEntry[], palette: Palette): readonly string[] {
  if (artifacts.length === 0) return []
  const bytes = artifacts.reduce((total, file) => total + file.bytes, 0)
  const heading = `${palette.bold('Files')}  ${formatQuantity(artifacts.length, 'file')}, ${formatCount(bytes)} bytes`
  const rows = drawFolder(buildTree(artifacts), '')
  const labelWidth = Math.max(...rows.map((row) => row.label.length))
  const sizeWidth = Math.max(...artifacts.map((file) => formatCount(file.bytes).length))
  const lines = rows.map(({ label, file }) => {
    if (file === null) return `  ${label}`
    const size = formatCount(file.bytes).padStart(sizeWidth)
    return `  ${label.padEnd(labelWidth)}  ${palette.dim(size)}  ${palette.role(file.role, file.role)}`
  })
  return [heading, ...lines, '']
}

function buildTree(artifacts: readonly ArtifactEntry[]): Folder {
  const root: Folder = { folders: new Map(), files: new Map() }
  for (const artifact of artifacts) {
    const names = artifact.path.split('/')
    const name = names.pop() ?? artifact.path
    let folder = root
    for (const part of names) {
      const inner = folder.folders.get(part) ?? { folders: new Map(), files: new Map() }
      folder.folders.set(part, inner)
      folder = inner
    }
    folder.files.set(name, artifact)
  }
  return root
}

interface TreeRow {
  readonly label: string
  readonly file: ArtifactEntry | null
}

function drawFolder(folder: Folder, indent: string): readonly TreeRow[] {
  const entries = [
    ...sortByName(folder.folders).map(([name, inner]) => ({ name: `${name}/`, inner, file: null })),
    ...sortByName(folder.files).map(([name, file]) => ({ name, inner: null, file })),
  ]
  const rows: TreeRow[] = []
  for (const [index, { name, inner, file }] of entries.entries()) {
    const last = index === entries.length - 1
    rows.push({ label: `${indent}${last ? '└─ ' : '├─ '}${name}`, file })
    if (inner !== null) rows.push(...drawFolder(inner, `${indent}${last ? '   ' : '│  '}`))
  }
  return rows
}

function sortByName<T>(entries: ReadonlyMap<string, T>): readonly (readonly [string, T])[] {
  return [...entries].toSorted(([a], [b]) => a.localeCompare(b))
}

function formatTryIt({ scenario, llmUrl, palette }: SummaryParts): readonly string[] {
  return [
    palette.bold('Call it yourself'),
    `  OPENAI_API_BASE=${quoteForShell(llmUrl)} npm start`,
    `  curl -N --json ${quoteForShell(JSON.stringify(scenario))} \\`,
    `    -H 'Accept: text/event-stream' http://127.0.0.1:3000/workflows`,
  ]
}

function quoteForShell(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}
