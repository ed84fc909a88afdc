import type { LogLevel } from './log-line.ts'

const colours: Readonly<Record<LogLevel, string>> = {
  DEBUG: '\u001b[2m',
  INFO: '\u001b[32m',
  WARNING: '\u001b[33m',
  ERROR: '\u001b[31m',
  CRITICAL: '\u001b[1;31m',
}
const dim = '\u001b[2m'
const plain = '\u001b[0m'
// C0 and C1 controls could move the cursor, or forge a line of their own
// oxlint-disable-next-line no-control-regex
const controls = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g

/** Renders one JSON line of the log as text for people: time, level, logger, message, then the fields as `key=value`. */
export function renderText(line: string, options: { readonly coloured: boolean }): string {
  const { timestamp, level, logger, message, error, ...fields } = JSON.parse(line) as Record<string, unknown>
  const paint = (text: string, colour: string): string => (options.coloured ? `${colour}${text}${plain}` : text)
  const time = String(timestamp).slice(11, 23)
  const name = String(level)
  const pairs = Object.entries(fields).map(([key, value]) => `${key}=${shown(value)}`)
  const head = [
    paint(time, dim),
    paint(name.padEnd(8), colours[name as LogLevel] ?? ''),
    paint(oneLine(String(logger)), dim),
    oneLine(String(message)),
  ]
  const tail = pairs.length > 0 ? ` ${paint(pairs.join(' '), dim)}` : ''
  return `${head.join(' ')}${tail}${renderError(error)}\n`
}

function renderError(error: unknown): string {
  if (typeof error !== 'object' || error === null) return ''
  const { type, message, stack, cause } = error as Record<string, unknown>
  const lines = typeof stack === 'string' ? stack.split('\n') : [`${String(type)}: ${String(message)}`]
  return lines.map((line) => `\n    ${oneLine(line.trim())}`).join('') + renderError(cause)
}

function shown(value: unknown): string {
  if (typeof value === 'string') return /^[^\s="]+$/.test(value) ? oneLine(value) : JSON.stringify(oneLine(value))
  return oneLine(JSON.stringify(value))
}

function oneLine(text: string): string {
  return text.replaceAll(controls, (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
