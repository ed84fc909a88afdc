import {
  isAlias,
  isMap,
  isScalar,
  LineCounter,
  parseDocument,
  type Document,
  type Node,
  type Pair,
  type YAMLMap,
} from 'yaml'
import { BUILT_IN_ROLES, CONFIG_KEY, ROLE_NAME } from './agent-settings.ts'
import { typesOf } from './describe.ts'
import { isOfGuideOnly } from './foreign-names.ts'
import { isLaterKey, NO_SUCH_SETTING } from './later-settings.ts'
import { didYouMean, nearest } from './nearest.ts'
import { addEntry, dotted, faultOf, openReading, type OpenReading, type Reading } from './reading.ts'
import {
  isTableOfSettings,
  SECRET_NAMES,
  secretFileName,
  secretOfFile,
  settingAt,
  TOP_LEVEL_NAMES,
} from './setting-path.ts'
import type { SettingSchema } from './setting.ts'

interface YamlSource {
  readonly document: Document
  readonly reading: OpenReading
  readonly placeOf: (node: unknown) => string
}

interface Place {
  readonly path: readonly string[]
  readonly place: string
}

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
  readTable({ document, reading, placeOf }, document.contents, { path: [], place: `${name}:1` })
  return reading
}

function readTable(source: YamlSource, node: unknown, { path, place }: Place): void {
  const table = isAlias(node) ? node.resolve(source.document) : node
  if (isNothing(node)) return
  if (!isMap(table)) {
    source.reading.faults.push({ place, detail: `${dotted(path) || 'the file'} must be a table` })
    return
  }
  for (const pair of (table as YAMLMap<Node>).items) readPair(source, pair, path)
}

function readPair(source: YamlSource, pair: Pair<Node>, parent: readonly string[]): void {
  const key = isScalar(pair.key) ? String(pair.key.value) : ''
  const at = { path: [...parent, key], place: source.placeOf(pair.key) }
  const schema = schemaOf(at.path)
  if (schema === undefined || !isLegalName(at.path)) return refuseKey(source, at)
  if (!isTableOfSettings(schema)) return readLeaf(source, pair.value, { ...at, schema })
  if (at.path.length > 1) source.reading.entries.push({ ...at, subject: dotted(at.path), value: {} })
  readTable(source, pair.value, at)
}

function readLeaf(
  { document, reading }: YamlSource,
  node: unknown,
  at: Place & { readonly schema: SettingSchema },
): void {
  const { schema, ...place } = at
  const entry = { ...place, subject: dotted(at.path) }
  try {
    const value = isNothing(node) ? nothing(schema) : plainValue(document, node as Node, schema)
    if (value !== undefined) addEntry(reading, { ...entry, value }, schema)
  } catch {
    // thrown for an alias without anchor, for a circle, and for so many aliases that they could be an attack
    reading.faults.push(faultOf(entry, 'has an alias (*name) that cannot be resolved'))
  }
}

function refuseKey({ reading }: YamlSource, { path, place }: Place): void {
  const name = path.at(-1) ?? ''
  if (path.length === 1 && isOfGuideOnly(name)) {
    reading.warnings.push(`${place}: ${name} has no effect here`)
    return
  }
  if (path.length === 2) {
    const rule = 'a role is named with lower-case letters, digits and _'
    reading.faults.push({ place, detail: `${dotted(path)}: ${rule}${didYouMean(nearest(name, BUILT_IN_ROLES))}` })
    return
  }
  const reason = path.length === 1 && isLaterKey(name) ? `: ${NO_SUCH_SETTING}` : didYouMean(suggestion(path))
  reading.faults.push({ place, detail: `unknown key ${dotted(path)}${reason}` })
}

function suggestion(path: readonly string[]): string | undefined {
  const parent = path.slice(0, -1)
  const name = path.at(-1) ?? ''
  if (parent.length === 0) return nearest(name, [...TOP_LEVEL_NAMES, ...SECRET_NAMES.map(secretFileName)])
  const config = [...parent, 'config']
  const ofConfig = Object.keys(settingAt(config)?.properties ?? {})
  if (ofConfig.includes(name)) return dotted([...config, name])
  const near = nearest(name, Object.keys(settingAt(parent)?.properties ?? {}))
  return near === undefined ? undefined : dotted([...parent, near])
}

function schemaOf(path: readonly string[]): SettingSchema | undefined {
  const isSecretFile = path.length === 1 && secretOfFile(path[0] ?? '') !== undefined
  return isSecretFile ? { type: 'string', format: 'path' } : settingAt(path)
}

function isLegalName(path: readonly string[]): boolean {
  const name = path.at(-1) ?? ''
  return path.length === 2 ? ROLE_NAME.test(name) : CONFIG_KEY.test(name)
}

function isNothing(node: unknown): boolean {
  return node === null || node === undefined || (isScalar(node) && node.value === null)
}

function nothing(schema: SettingSchema): '' | undefined {
  return schema.emptyMeansOff === true ? '' : undefined
}

/** A number is a text as it was written, where a text is wanted: 1.10 is not 1.1 there. */
function plainValue(document: Document, node: Node, schema: SettingSchema): unknown {
  const resolved = isAlias(node) ? node.resolve(document) : node
  const isNumber = isScalar(resolved) && typeof resolved.value === 'number'
  if (isNumber && typesOf(schema).includes('string')) return resolved.source
  const value: unknown = node.toJS(document)
  // an alias of what holds it makes a circle, which nobody could show
  JSON.stringify(value)
  return value
}

function offsetOf(node: unknown): number {
  return (node as Node | null)?.range?.[0] ?? 0
}

function syntaxFault(code: string): string {
  if (code === 'DUPLICATE_KEY') return 'the same key stands twice in one table'
  return `not valid YAML (${code.toLowerCase().replaceAll('_', ' ')})`
}
