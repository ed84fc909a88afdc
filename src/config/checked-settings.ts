import { dotted, type Entry } from './reading.ts'
import type { SettingsFile } from './settings.ts'

/** What the rules that look at more than one setting, or outside, need. */
export interface CheckedSettings {
  /** Valid settings; where an entry was at fault, its default. */
  readonly file: SettingsFile
  /** Every entry, also those that were at fault. */
  readonly entries: readonly Entry[]
  /** Paths, dotted, of the settings at fault: no rule judges those. */
  readonly invalid: ReadonlySet<string>
  /** How strong the source of an entry is: of two, the greater number wins. */
  readonly strengthOf: (entry: Entry) => number
  /** Where relative paths start. */
  readonly directory: string
}

/** The entry with this path, dotted. */
export function findEntry(entries: readonly Entry[], path: string): Entry | undefined {
  return entries.find((entry) => dotted(entry.path) === path)
}
