import type { OutageOptions } from './options.ts'
import { addUp } from './outage-figures.ts'
import { writeOutageReport, writeSummary } from './outage-report.ts'
import type { JudgedRun } from './outage-report.ts'
import { deviations, scenariosOf } from './outage-scenarios.ts'
import type { Scenario } from './outage-scenarios.ts'
import { judgeOutage } from './outage-verdict.ts'
import { runOutage } from './run-outage.ts'

/** Of one run. The slowest takes six minutes: after an outage of all, the retry budget lets few calls be repeated. */
const mostMs = 9 * 60 * 1000

interface Screen {
  readonly write: (text: string) => void
  readonly stop: AbortSignal
}

/** Makes every run that was asked for and prints what came of it. Resolves with whether every promise was kept. */
export async function showOutages(options: OutageOptions, screen: Screen): Promise<boolean> {
  const { outages, workflows, seed } = options
  screen.write(`${workflows} workflows under a model that dies for 30 s, seed ${seed}\n\n`)
  const judged: (JudgedRun | null)[] = []
  for (const name of outages) {
    let measureMs: number | null = null
    for (const scenario of scenariosOf(name)) {
      const shown: JudgedRun | null = screen.stop.aborted
        ? null
        : await show(scenario, options, { ...screen, measureMs })
      judged.push(shown)
      if (scenario.form === null) measureMs = shown?.run.elapsedMs ?? null
    }
  }
  const complete = judged.filter((one) => one !== null)
  screen.write(writeSummary(complete))
  const isKept = complete.every(({ checks }) => checks.every(({ faults }) => faults.length === 0))
  return isKept && complete.length === judged.length
}

/** null: the run came to no end, and has said why. */
async function show(
  scenario: Scenario,
  options: OutageOptions,
  { write, stop, measureMs }: Screen & { readonly measureMs: number | null },
): Promise<JudgedRun | null> {
  const changed = Object.entries(deviations(scenario, options.agents)).map(([name, value]) => `${name}=${value}`)
  write(`== ${scenario.name} (not as by default: ${changed.join(', ')})\n`)
  const timeUp = AbortSignal.timeout(mostMs)
  try {
    const run = await runOutage(scenario, options, AbortSignal.any([stop, timeUp]))
    const figures = addUp(run)
    const checks = judgeOutage(run, figures, measureMs)
    const timeRatio = measureMs === null ? null : run.elapsedMs / measureMs
    const judged = { run, figures, timeRatio, checks }
    write(writeOutageReport(judged))
    return judged
  } catch (error) {
    const why = timeUp.aborted ? `it had not ended after ${mostMs / 1000} s. ` : ''
    write(`FAULT  ${why}${String(error)}\n\n`)
    return null
  }
}
