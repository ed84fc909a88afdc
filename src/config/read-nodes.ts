import { isAlias, isMap, isScalar, isSeq, type Document, type Node, type Pair } from 'yaml'
import { isOfGuideOnly } from './foreign-names.ts'
import { typesOf } from './describe.ts'
import { didYouMean, nearest } from './nearest.ts'
import { addComposite, addEntry, dotted, openReading, reject, type OpenReading, type Position } from './reading.ts'
import { childOf, isComposite, isTableOfSettings, knownKeys, memberOf, ROOT, SETTING_PATHS } from './setting-path.ts'
import type { SettingSchema } from './setting.ts'

/** A document, and where what is found in it goes. */
export interface NodeSource {
  readonly document: Document
  readonly reading: OpenReading
  /** As in `Fault`. */
  readonly placeOf: (node: unknown) => string
}

/** Where a node stands, and what it should hold. */
interface Target extends Position {
  readonly schema: SettingSchema
}

/** Reads a whole file: a table of settings. `place` is that of the file. */
export function readRoot(source: NodeSource, place: string): void {
  readTable(source, source.document.contents, { path: [], place, subject: '', schema: ROOT })
}

/** Reads what one setting, or a table of settings, holds. Nothing counts as not set. */
export function readNode(source: NodeSource, node: unknown, target: Target): void {
  if (isTableOfSettings(target.schema)) return readTable(source, node, target)
  if (!isComposite(target.schema)) return readLeaf(source, node, target)
  if (!isNothing(node)) readComposite(source, node, target)
}

function readComposite(source: NodeSource, node: unknown, target: Target): void {
  const { schema, ...position } = target
  const parts = openReading()
  const isList = typesOf(schema).includes('array')
  parts.entries.push({ ...position, value: isList ? [] : {} })
  const read = isList ? readList : readTable
  read({ ...source, reading: parts }, node, target)
  addComposite(source.reading, position, parts)
}

function readList(source: NodeSource, node: unknown, target: Target): void {
  const { path, place, subject, schema } = target
  const list = resolve(source, node)
  if (!isSeq(list)) return reject(source.reading, { path, place, subject }, 'must be a list')
  for (const [index, item] of list.items.entries()) {
    const at = { path: [...path, String(index)], place: source.placeOf(item), subject: `${nameOf(target)}[${index}]` }
    source.reading.entries.push({ ...at, value: {} })
    readNode(source, item, { ...at, schema: schema.items ?? {} })
  }
}

function readTable(source: NodeSource, node: unknown, target: Target): void {
  if (isNothing(node)) return
  const table = resolve(source, node)
  if (isMap<Node, Node>(table)) {
    for (const pair of table.items) readPair(source, pair, target)
  } else {
    const { path, place, subject } = target
    reject(source.reading, { path, place, subject: path.length === 0 ? 'the file' : subject }, 'must be a table')
  }
}

function readPair(source: NodeSource, pair: Pair<Node>, parent: Target): void {
  const key = isScalar(pair.key) ? String(pair.key.value) : ''
  const at = {
    path: [...parent.path, key],
    place: source.placeOf(pair.key),
    subject: under(parent, key),
  }
  const schema = childOf(parent.schema, key)
  if (schema === undefined || !isLegalName(key, parent.schema)) return refuseKey(source, at, parent)
  // one that the operator named is there, whatever it holds
  const isNamed = memberOf(parent.schema) !== undefined && isTableOfSettings(schema)
  if (isNamed) source.reading.entries.push({ ...at, value: {} })
  readNode(source, pair.value, { ...at, schema })
}

function readLeaf({ document, reading }: NodeSource, node: unknown, { schema, ...position }: Target): void {
  try {
    const value = isNothing(node) ? nothing(schema) : plainValue(document, node as Node, schema)
    if (value !== undefined) addEntry(reading, { ...position, value }, schema)
  } catch {
    // thrown for an alias without anchor, for a circle, and for so many aliases that they could be an attack
    reject(reading, position, 'has an alias (*name) that cannot be resolved')
  }
}

function isLegalName(name: string, { properties = {}, propertyNames }: SettingSchema): boolean {
  if (propertyNames === undefined || Object.hasOwn(properties, name)) return true
  return new RegExp(propertyNames.pattern, 'u').test(name)
}

function refuseKey({ reading }: NodeSource, at: Position, parent: Target): void {
  const name = at.path.at(-1) ?? ''
  if (at.path.length === 1 && isOfGuideOnly(name)) {
    reading.warnings.push(`${at.place}: ${name} has no effect here`)
    return
  }
  const hint = didYouMean(suggestion(name, parent))
  const rule = parent.schema.propertyNames?.description
  const detail = rule === undefined ? `unknown key ${at.subject}${hint}` : `${at.subject}: ${rule}${hint}`
  reading.faults.push({ place: at.place, detail })
}

function suggestion(name: string, parent: Target): string | undefined {
  const { path, schema } = parent
  const config = schema.properties?.['config']
  if (config?.properties !== undefined && Object.hasOwn(config.properties, name)) return under(parent, `config.${name}`)
  const near = nearest(name, knownKeys(schema))
  if (near !== undefined) return under(parent, near)
  if (path.length > 1 || memberOf(schema) !== undefined) return undefined
  // llm_endpoints for llm.endpoints, llm.timeout for llm_timeout
  return nearest(under(parent, name), SETTING_PATHS.map(dotted))
}

function under(parent: Target, name: string): string {
  return parent.path.length === 0 ? name : `${nameOf(parent)}.${name}`
}

/** What a table or list is called before the names inside it, also where its own place has said which it is. */
function nameOf({ path, subject }: Position): string {
  return subject || (path.at(-1) ?? '')
}

function resolve({ document }: NodeSource, node: unknown): unknown {
  return isAlias(node) ? node.resolve(document) : node
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
  if (isNumber && resolved.source !== undefined && typesOf(schema).includes('string')) return resolved.source
  const value: unknown = node.toJS(document)
  // an alias of what holds it makes a circle, which nobody could show
  JSON.stringify(value)
  return value
}
