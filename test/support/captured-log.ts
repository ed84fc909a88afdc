import { createLogger, type Log, type LogOptions } from '../../src/observability/log.ts'

/** A log whose lines a test can read. Its clock stands at 2026-01-14T10:30:00.123Z. */
export function captureLog(options: Partial<LogOptions> = {}): {
  readonly log: Log
  /** As they were written. */
  readonly raw: readonly string[]
  /** Parsed. */
  readonly lines: () => readonly Readonly<Record<string, unknown>>[]
} {
  const raw: string[] = []
  const log = createLogger({
    level: 'DEBUG',
    structured: true,
    coloured: false,
    file: null,
    stdout: { write: (line: string) => raw.push(line) },
    now: () => Date.parse('2026-01-14T10:30:00.123Z'),
    ...options,
  })
  return { log, raw, lines: () => raw.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>) }
}
