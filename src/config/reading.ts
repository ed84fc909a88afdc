import type { Fault } from './config-error.ts'
import { convert } from './convert.ts'
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
}

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

/** Adds what was written for a setting, or the fault that it is. */
export function addEntry(reading: OpenReading, entry: Entry, schema: SettingSchema): void {
  const conversion = convert(schema, entry.value)
  if ('fault' in conversion) {
    reading.faults.push(faultOf(entry, conversion.fault))
    reading.rejected.push(dotted(entry.path))
  } else {
    reading.entries.push({ ...entry, value: conversion.value })
  }
}

/** The fault of an entry: its place and, where that does not say it, its name. */
export function faultOf(entry: Omit<Entry, 'value'>, detail: string): Fault {
  return { place: entry.place, detail: entry.subject === '' ? detail : `${entry.subject} ${detail}` }
}

/** The path as `config.yaml` has it: `agents.developer.model`. */
export function dotted(path: readonly string[]): string {
  return path.join('.')
}
