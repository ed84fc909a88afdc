import { appendFileSync } from 'node:fs'

/** How much work a scenario has. */
export interface Size {
  /** Workflows that wait of whoever has much to do. */
  readonly backlog: number
  /** Places that are given away while it is looked at. */
  readonly turns: number
}

/** What was seen, against what is promised. */
export interface Finding {
  readonly what: string
  readonly promised: string
  readonly seen: number
  readonly isKept: boolean
}

/** A line of the simulation's report. */
export interface Reported extends Finding {
  readonly database: string
  readonly scenario: string
}

export function atMost(what: string, most: number, seen: number): Finding {
  return { what, promised: `≤ ${most}`, seen, isKept: seen <= most }
}

export function between(what: string, [least, most]: readonly [number, number], seen: number): Finding {
  return {
    what,
    promised: least === most ? String(least) : `${least}–${most}`,
    seen,
    isKept: seen >= least && seen <= most,
  }
}

/** How much the tests do: little, unless the simulation asks for more. */
export function wantedSize(database: string): Size {
  const wanted = process.env['FAIRNESS_BACKLOG']
  if (wanted !== undefined) return { backlog: Number(wanted), turns: 100 }
  return database === 'PGlite' ? { backlog: 12, turns: 10 } : { backlog: 24, turns: 20 }
}

/** Writes findings where the simulation looks for them, if it asks. */
export function report(lines: readonly Reported[]): void {
  const path = process.env['FAIRNESS_REPORT']
  if (path !== undefined) for (const line of lines) appendFileSync(path, `${JSON.stringify(line)}\n`)
}
