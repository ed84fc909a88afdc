import { scriptedAnswer } from './assignments.ts'
import type { OutageFigures } from './outage-figures.ts'
import type { OutageRun } from './run-outage.ts'
import { check, lineFault, outputFault, readingFault } from './verdict.ts'
import type { Check } from './verdict.ts'

/** Rows of the ledger for each call that was needed: fewer than this. */
const mostRowsPerNeeded = 1.2
/** Time with an outage and a second server, by the time without: at most this. */
const mostTimeRatio = 1.5
/** A breaker opens for 60 s within 4 s of the death, which lasts 30 s; then calls of at most 6 s are made. */
const mostRevivalToStep = 45_000
/** With a second server: the silence of a hanging call (3 s), and an answer (at most 6 s). */
const mostDeathToSecond = 12_000

/** Holds a run to everything that it promised. `measureMs`: what it takes without an outage; null: nobody measured. */
export function judgeOutage(run: OutageRun, figures: OutageFigures, measureMs: number | null): readonly Check[] {
  const { outcomes, seed, log, exitCode, strangers } = run
  const steps = outcomes.flatMap(({ run: number, workflow }) => workflow.steps.map((step) => ({ number, step })))
  const readings = outcomes.filter(({ reading }) => reading !== null)
  return [
    check('every workflow completed', outcomes, ({ run: number, workflow: { status, error, steps: all } }) => {
      if (status === 'completed') return null
      const wrong = all.filter((step) => step.status !== 'completed').map(({ id, status: end }) => `${id} ${end}`)
      return `${number} is ${status} (${error?.code}): ${wrong.join(', ')}`
    }),
    check('outputs are exact', steps, ({ number, step }) =>
      outputFault(step, `${number} ${step.id}`, scriptedAnswer(seed, number, step.id)),
    ),
    ...outageChecks(run),
    bound(
      `less than ${mostRowsPerNeeded} rows of the ledger per needed call`,
      figures.rowsPerNeeded < mostRowsPerNeeded,
      {
        was: figures.rowsPerNeeded.toFixed(3),
      },
    ),
    check('an attempt of a step is a row of the ledger', steps, ({ number, step }) =>
      step.attempt === step.usage.llm_calls
        ? null
        : `${number} ${step.id}: ${step.attempt} attempts, ${step.usage.llm_calls} rows`,
    ),
    ledgerCheck(run, figures),
    bound('no call that belongs to nobody', strangers === 0, { was: String(strangers) }),
    check('streams are exact', readings, readingFault),
    ...timeChecks(run, figures, measureMs),
    check('no ERROR in the log', log, (line) => lineFault(line, new Set())),
    bound('the service ended well', exitCode === 0, { was: String(exitCode) }),
  ]
}

/** The run shows something only if as much as possible was on its way when the server died. */
function outageChecks({ scenario, outage, mostAtOnce, log }: OutageRun): readonly Check[] {
  if (scenario.form === null) return []
  const { workflowsRunning = 0, callsRunning = 0, diedAt = 0 } = outage ?? {}
  const isTrue = workflowsRunning === mostAtOnce && callsRunning > mostAtOnce / 2
  const was = `${workflowsRunning} workflows and ${callsRunning} calls`
  const before = log.filter((line) => Date.parse(String(line['timestamp'])) < diedAt)
  return [
    check('nothing had failed before', before, ({ level, message }) => (level === 'INFO' ? null : message)),
    bound(`${mostAtOnce} workflows and their calls ran when it died`, isTrue, { was }),
  ]
}

/** A refused call has a row and reaches nobody; any other has both. */
function ledgerCheck({ scenario, seen }: OutageRun, { rows }: OutageFigures): Check {
  const reached = seen.reduce((sum, calls) => sum + calls, 0)
  const isTrue = scenario.form === 'refuse' ? rows >= reached : rows === reached
  return bound('the ledger has every call that a server saw', isTrue, { was: `${rows} rows, ${reached} calls` })
}

function timeChecks({ scenario, elapsedMs }: OutageRun, figures: OutageFigures, measureMs: number | null) {
  const { deathToSecond, revivalToStep } = figures
  const checks: Check[] = []
  if (scenario.form !== null) {
    const [name, waitedMs, mostMs] = scenario.hasSecond
      ? (['it goes on at the second server', deathToSecond, mostDeathToSecond] as const)
      : (['it goes on when the breaker tries again', revivalToStep, mostRevivalToStep] as const)
    checks.push(bound(name, waitedMs !== null && waitedMs <= mostMs, { was: `${waitedMs} ms` }))
  }
  if (measureMs !== null) {
    const ratio = elapsedMs / measureMs
    const name = `at most ${mostTimeRatio} times as long as without an outage`
    checks.push(bound(name, ratio <= mostTimeRatio, { was: ratio.toFixed(2) }))
  }
  return checks
}

function bound(name: string, isTrue: boolean, { was }: { readonly was: string }): Check {
  return { name, looked: 1, faults: isTrue ? [] : [was] }
}
