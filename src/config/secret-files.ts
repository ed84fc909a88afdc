import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { dotted, faultOf, openReading, type Entry, type OpenReading, type Reading } from './reading.ts'
import { secretOfFile } from './setting-path.ts'

/**
 * Puts the secret in the place of every entry that names a file with one. White space around it is dropped. Relative
 * paths start at `directory`. A source that gives both the secret and its file is at fault.
 */
export function readSecretFiles(source: Reading, directory: string): Reading {
  const reading = openReading()
  reading.faults.push(...source.faults)
  reading.warnings.push(...source.warnings)
  reading.rejected.push(...source.rejected)
  for (const entry of source.entries) {
    const secret = secretOfFile(dotted(entry.path))
    if (secret === undefined) reading.entries.push(entry)
    else readSecret(reading, { ...entry, path: [secret] }, { source, directory })
  }
  return reading
}

function readSecret(
  reading: OpenReading,
  entry: Entry,
  { source, directory }: { readonly source: Reading; readonly directory: string },
): void {
  const direct = source.entries.find(({ path }) => dotted(path) === dotted(entry.path))
  if (direct !== undefined) {
    reading.faults.push(faultOf(entry, `is set besides ${direct.subject || direct.place}; set one of them`))
    return
  }
  try {
    const value = readFileSync(resolve(directory, String(entry.value)), 'utf8').trim()
    if (value === '') reading.warnings.push(`${entry.place}: the file is empty and counts as unset`)
    else reading.entries.push({ ...entry, value })
  } catch (error) {
    reading.faults.push(faultOf(entry, `names a file that cannot be read (${codeOf(error)})`))
  }
}

/** The system's code of a failed file operation: `ENOENT`. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
}
