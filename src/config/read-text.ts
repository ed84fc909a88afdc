import { Document } from 'yaml'
import { demandOf } from './describe.ts'
import { readNode } from './read-nodes.ts'
import { addEntry, reject, type OpenReading, type Position } from './reading.ts'
import { isComposite, isTableOfSettings } from './setting-path.ts'
import type { SettingSchema } from './setting.ts'

/** A setting that is written as text, in a variable or in a file of its own. */
interface WrittenSetting extends Position {
  readonly value: string
}

/**
 * Adds what the text says of a setting. A list of tables is JSON, and so is a table of settings: that gives its keys one
 * by one, so that the others keep what they have.
 */
export function addText(reading: OpenReading, { value, ...position }: WrittenSetting, schema: SettingSchema): void {
  if (!isComposite(schema) && !isTableOfSettings(schema)) return addEntry(reading, { ...position, value }, schema)
  const document = parseJson(value)
  if (document === undefined) return reject(reading, position, demandOf(schema))
  const source = { document, reading, placeOf: () => position.place }
  readNode(source, document.contents, { ...position, schema })
}

/** Undefined for what is no JSON, or so deep that it cannot be read. Says nothing of why: the text may hold a secret. */
function parseJson(text: string): Document | undefined {
  try {
    return new Document(JSON.parse(text))
  } catch {
    return undefined
  }
}
