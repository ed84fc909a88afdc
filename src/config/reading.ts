import type { Fault } from './config-error.ts'
import { convert } from './convert.ts'
import { treeOf, type Tree } from './entry-tree.ts'
import type { SettingSchema } from './setting.ts'

/** One value that a source gives. */
export interface Entry {
  /** Keys from the top of `config.yaml` down: `['agents', 'developer', 'model']`. */
  readonly path: readonly string[]
  readonly value: unknown
  /** As in `Fault`. */
  readonly place: string
  /** How a fault begins, where the place does not name the setting; else empty. */
  readonly subject: string
  /** Of a list of tables, or a table of tables: what it was put together from, so that a mistake inside has its place. */
  readonly parts?: Parts
}

/** The entries inside a value, containers before what they contain, and the paths of those that could not be read. */
type Parts = Pick<Reading, 'entries' | 'rejected'>

/** An entry without its value: where something stands, and what it is called. */
export type Position = Omit<Entry, 'value' | 'parts'>

/** What one source holds. */
export interface Reading {
  readonly entries: readonly Entry[]
  readonly faults: readonly Fault[]
  readonly warnings: readonly string[]
  /** Paths, dotted, of settings whose value could not be read. */
  readonly rejected: readonly string[]
}

/** A reading that is being made. */
export interface OpenReading extends Reading {
  readonly entries: Entry[]
  readonly faults: Fault[]
  readonly warnings: string[]
  readonly rejected: string[]
}

/** Starts a reading. */
export function openReading(): OpenReading {
  return { entries: [], faults: [], warnings: [], rejected: [] }
}

/** Adds to `target` all that `source` has. */
export function addReading(target: OpenReading, source: Reading): void {
  target.entries.push(...source.entries)
  target.faults.push(...source.faults)
  target.warnings.push(...source.warnings)
  target.rejected.push(...source.rejected)
}

/** Adds what was written for a setting, or the fault that it is. */
export function addEntry(reading: OpenReading, entry: Entry, schema: SettingSchema): void {
  const conversion = convert(schema, entry.value)
  if ('fault' in conversion) reject(reading, entry, conversion.fault)
  else reading.entries.push({ ...entry, value: conversion.value })
}

/** Adds a setting whose value cannot be read, with why. */
export function reject(reading: OpenReading, position: Position, detail: string): void {
  reading.faults.push(faultOf(position, detail))
  reading.rejected.push(dotted(position.path))
}

/**
 * Adds a setting that is put together from `parts`: its own container first, then what that contains. Their faults and
 * warnings are the setting's.
 */
export function addComposite(reading: OpenReading, position: Position, parts: Reading): void {
  const { entries, rejected, faults, warnings } = parts
  addReading(reading, { entries: [], faults, warnings, rejected: rejected.length > 0 ? [dotted(position.path)] : [] })
  const value = position.path.reduce<unknown>((table, name) => (table as Tree)[name], treeOf(entries))
  reading.entries.push({ ...position, value, parts: { entries, rejected } })
}

/** The fault of an entry: its place and, where that does not say it, its name. */
export function faultOf(entry: Position, detail: string): Fault {
  return { place: entry.place, detail: entry.subject === '' ? detail : `${entry.subject} ${detail}` }
}

/** The path as `config.yaml` has it: `agents.developer.model`. */
export function dotted(path: readonly string[]): string {
  return path.join('.')
}
