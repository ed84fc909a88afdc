import { readdirSync, readFileSync } from 'node:fs'

const millisecondsPerTick = 10

interface ProcessStat {
  readonly parent: number
  /** Ticks of its own, user and system. */
  readonly own: number
  /** Ticks of children that have ended. */
  readonly ofEnded: number
}

/**
 * Milliseconds of CPU that a process and its children have used, those that have ended included; null where there is no
 * `/proc`. In steps of 10 ms.
 */
export function processorMs(pid: number): number | null {
  const main = readStat(pid)
  if (main === null) return null
  const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  const ticks = children
    .map((name) => readStat(Number(name)))
    .filter((stat) => stat !== null && stat.parent === pid)
    .reduce((sum, stat) => sum + (stat?.own ?? 0), main.own + main.ofEnded)
  return ticks * millisecondsPerTick
}

function readStat(pid: number): ProcessStat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // the name, in parentheses, may hold anything
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const field = (number: number) => Number(fields[number - 3])
    return { parent: field(4), own: field(14) + field(15), ofEnded: field(16) + field(17) }
  } catch {
    return null
  }
}
