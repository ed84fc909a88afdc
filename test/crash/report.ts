import type { CaseResult } from './run-chain.ts'

/** One line on a case that is over, and its faults. */
export function writeCase(database: string, result: CaseResult): string {
  const { statement, moment, phase } = result.point
  const place = `${phase.padEnd(8)} ${moment.padEnd(6)} ${String(statement).padStart(3)}`
  const faults = result.faults.map((fault) => `  ${fault}\n`)
  return `${database.padEnd(8)} ${place}  ${outcome(result)}  ${nameOf(result)}\n${faults.join('')}`
}

/** The tables of all cases on one database. */
export function writeTables(database: string, results: readonly CaseResult[]): string {
  const phases = [...new Set(results.map(({ point }) => point.phase))]
  return phases
    .map((phase) =>
      writeTable(
        `${database}, ${phase}`,
        results.filter(({ point }) => point.phase === phase),
      ),
    )
    .join('')
}

function writeTable(title: string, results: readonly CaseResult[]): string {
  const statements = [...new Set(results.map(({ point }) => point.statement))].toSorted((a, b) => a - b)
  const rows = statements.map((statement) => {
    const here = results.filter(({ point }) => point.statement === statement)
    const of = (moment: string) => here.find(({ point }) => point.moment === moment)
    const cells = ['before', 'after'].map((moment) => outcome(of(moment)))
    return `${String(statement).padStart(9)}  ${cells.join('  ')}  ${nameOf(here[0])}\n`
  })
  const tried = results.filter(({ reached }) => reached)
  const bad = tried.filter((result) => result.faults.length > 0)
  const sum = `${tried.length} crash points, ${bad.length} with faults\n`
  return `\n${title}\nstatement  before     after      what it writes\n${rows.join('')}${sum}`
}

/** Where a case died, in words. */
export function placeOf(result: CaseResult): string {
  const { statement, moment, phase } = result.point
  return `${phase}, ${moment} statement ${statement} (${nameOf(result)})`
}

function outcome(result: CaseResult | undefined): string {
  if (result === undefined) return '–'.padEnd(9)
  const { faults, reached, elapsedMs } = result
  const verdict = faults.length > 0 ? 'FAULT' : reached ? 'ok' : '-'
  return `${verdict} ${(elapsedMs / 1000).toFixed(1)} s`.padEnd(9)
}

function nameOf(result: CaseResult | undefined): string {
  return result?.statements[result.point.statement - 1] ?? 'not reached'
}
