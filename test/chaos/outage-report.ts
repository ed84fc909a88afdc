import type { OutageFigures } from './outage-figures.ts'
import { checkText, list, tally } from './report.ts'
import type { OutageRun } from './run-outage.ts'
import type { Check } from './verdict.ts'

/** A run with what became of it; `timeRatio` by the run without an outage, null where there is none. */
export interface JudgedRun {
  readonly run: OutageRun
  readonly figures: OutageFigures
  readonly timeRatio: number | null
  readonly checks: readonly Check[]
}

/** What is printed after each run. */
export function writeOutageReport({ run, figures, timeRatio, checks }: JudgedRun): string {
  const { outcomes, outage, seen, log, elapsedMs } = run
  const failed = log.filter(({ message }) => message.startsWith('Model call failed'))
  const endpoints = outcomes.flatMap(({ workflow }) => workflow.steps.map(({ endpoint }) => endpoint ?? 'none'))
  const rows: readonly (readonly [string, string])[] = [
    ['workflows', `${outcomes.length}: ${list(tally(outcomes.map(({ workflow }) => workflow.status)))}`],
    ...(outage === null
      ? []
      : [['when it died', `${outage.workflowsRunning} workflows and ${outage.callsRunning} calls ran`] as const]),
    ['calls', `${figures.rows} rows of the ledger for ${figures.needed} needed: ${figures.rowsPerNeeded.toFixed(3)}`],
    ['seen by servers', seen.join(' and ')],
    ['failed calls', failed.length === 0 ? 'none' : list(tally(failed.map((line) => String(line['error_code']))))],
    ['answered by', list(tally(endpoints))],
    ['breaker', breakerText(run)],
    [
      'time',
      `${seconds(elapsedMs)}${timeRatio === null ? '' : `, ${timeRatio.toFixed(2)} times that without an outage`}`,
    ],
    ['death to 2nd server', seconds(figures.deathToSecond)],
    ['works again to step', seconds(figures.revivalToStep)],
    ['works again to end', seconds(figures.revivalToEnd)],
  ]
  return `${rows.map(([name, text]) => `${name.padEnd(21)}${text}\n`).join('')}\n${checks.map(checkText).join('')}\n`
}

const columns = ['', 'completed', 'failed', 'rows/needed', 'time', 'again to step', 'again to end', '']

/** One line for each run, at the very end. */
export function writeSummary(judged: readonly JudgedRun[]): string {
  const lines = judged.map(({ run, figures, timeRatio, checks }) => {
    const completed = run.outcomes.filter(({ workflow }) => workflow.status === 'completed').length
    return [
      run.scenario.name,
      String(completed),
      String(run.outcomes.length - completed),
      figures.rowsPerNeeded.toFixed(3),
      seconds(run.elapsedMs) + (timeRatio === null ? '' : ` (${timeRatio.toFixed(2)} x)`),
      seconds(figures.revivalToStep),
      seconds(figures.revivalToEnd),
      checks.every(({ faults }) => faults.length === 0) ? 'ok' : 'FAULT',
    ]
  })
  return [columns, ...lines].map((line) => `${line.map(padded).join('  ').trimEnd()}\n`).join('')
}

function padded(cell: string, column: number): string {
  return cell.padEnd([25, 9, 6, 11, 15, 13, 12][column] ?? 0)
}

/** When the breakers changed, in seconds since the death. */
function breakerText({ log, outage }: OutageRun): string {
  if (outage === null) return 'closed'
  const changes = log.flatMap((line) => {
    const state = /^Circuit breaker is (\w+)/.exec(line.message)?.[1]
    const at = Date.parse(String(line['timestamp'])) - outage.diedAt
    return state === undefined ? [] : [`${state} at ${seconds(at)}`]
  })
  return changes.length === 0 ? 'closed' : changes.join(', ')
}

function seconds(milliseconds: number | null): string {
  return milliseconds === null || !Number.isFinite(milliseconds) ? '-' : `${(milliseconds / 1000).toFixed(1)} s`
}
