import { preparedForTests, temporaryDirectory } from '../support/database.ts'
import { startServiceProcess } from '../support/service-process.ts'
import { pickFor, createFaultPlan } from './fault-plan.ts'
import { startChaosModel } from './chaos-model.ts'
import type { ChaosModel } from './chaos-model.ts'
import type { ChaosOptions } from './options.ts'
import { runWorkflow } from './run-workflow.ts'
import type { Cuts, Outcome } from './run-workflow.ts'
import { watchService } from './service-figures.ts'
import type { ServiceFigures } from './service-figures.ts'
import type { Evidence } from './verdict.ts'

/** What was seen, and what it cost. */
export interface ChaosRun {
  readonly evidence: Evidence
  readonly figures: ServiceFigures | null
  readonly elapsedMs: number
  /** How the service ended when it was asked to. */
  readonly exitCode: number | null
}

const maxRetries = 3
const workflowsAtOnce = 40
const workflowsRead = 20

/** Runs the workflows against the real service and a faulty model. Stops everything when `stop` is aborted. */
export async function runChaos({ workflows, seed }: ChaosOptions, stop: AbortSignal): Promise<ChaosRun> {
  await preparedForTests()
  const directory = await temporaryDirectory()
  const plan = createFaultPlan(seed)
  const model = await startChaosModel(seed, plan)
  const service = startServiceProcess({ directory: directory.path, env: settings(model) })
  const kill = () => void service.kill()
  stop.addEventListener('abort', kill)
  try {
    await service.ready()
    const url = await service.listening
    const ended = new AbortController()
    const watching = watchService(url, ended.signal).catch(() => null)
    const since = performance.now()
    const { outcomes, lost } = await runAll(url, { workflows, seed }, stop)
    const elapsedMs = performance.now() - since
    ended.abort()
    const figures = await watching
    service.signal('SIGTERM')
    const { code: exitCode } = await service.ended
    const evidence = { seed, plan, tries: maxRetries + 1, outcomes, lost, calls: model.calls(), log: service.log() }
    return { evidence, figures, elapsedMs, exitCode }
  } finally {
    stop.removeEventListener('abort', kill)
    await service.kill()
    await model.stop()
    await directory.remove()
  }
}

function settings(model: ChaosModel) {
  return {
    OPENAI_API_BASE: model.url,
    OPENAI_API_MODEL: 'chaos',
    LLM_MAX_RETRIES: String(maxRetries),
    LLM_RETRY_INITIAL_DELAY: '0.05',
    MAX_CONCURRENT_AGENTS: '20',
  }
}

async function runAll(url: string, { workflows, seed }: ChaosOptions, stop: AbortSignal) {
  const outcomes: Outcome[] = []
  const lost: string[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < workflows && !stop.aborted) {
      const run = next
      next += 1
      await runWorkflow(url, run, cutsOf(run, { workflows, seed })).then(
        (outcome) => outcomes.push(outcome),
        (error: unknown) => lost.push(`${run}: ${String(error)}`),
      )
    }
  }
  await Promise.all(Array.from({ length: workflowsAtOnce }, worker))
  if (next < workflows) lost.push(`${workflows - next} were not started`)
  return { outcomes, lost }
}

/** A sample, spread evenly and over all templates, is read and cut; the others are only waited for. */
function cutsOf(run: number, { workflows, seed }: ChaosOptions): Cuts {
  const share = Math.max(1, workflows / workflowsRead)
  if (Math.floor(run / share) === Math.floor((run - 1) / share) && run > 0) return null
  const pick = pickFor(`cuts ${seed} ${run}`)
  return () => pick(300, 9000)
}
