import { pickFor } from '../chaos/fault-plan.ts'
import type { Clients } from './client.ts'
import { ask } from './database-power.ts'
import type { Leftovers, SeenStep, SeenWorkflow, WorkflowEvidence } from './evidence.ts'
import type { FaultyModel } from './faulty-model.ts'
import { readByPages } from './reader.ts'
import { getJson } from './request.ts'
import type { TrackedWorkflow } from './tracked-workflow.ts'

/** From when to when something was broken, in milliseconds of the run. */
export interface Disturbance {
  readonly fromMs: number
  readonly toMs: number
}

const atOnce = 16
const pick = pickFor('collect')

/** Lets every reader come to the end, and looks at every workflow. */
export async function collectWorkflows(
  clients: Clients,
  model: FaultyModel,
  disturbances: readonly Disturbance[],
): Promise<readonly WorkflowEvidence[]> {
  await inTurns(clients.readers, (reader) => reader.finish())
  return inTurns(clients.tracked, async (tracked) => {
    const path = `/workflows/${tracked.id}`
    const workflow = await getJson<SeenWorkflow>(clients, path, pick)
    const steps: SeenStep[] = []
    for (const { id } of workflow.steps) steps.push(await getJson<SeenStep>(clients, `${path}/steps/${id}`, pick))
    return {
      tracked,
      workflow,
      steps,
      log: await readByPages(clients, tracked.id, pick),
      readers: clients.readers.filter((reader) => reader.workflow === tracked.id),
      calls: model.journal.filter(({ assignment }) => assignment === tracked.assignment.number),
      disturbed: disturbances.some((disturbance) => concerns(disturbance, tracked)),
    }
  })
}

function concerns({ fromMs, toMs }: Disturbance, tracked: TrackedWorkflow): boolean {
  return toMs >= tracked.askedAtMs && fromMs <= tracked.lastReadAtMs()
}

async function inTurns<T, R>(things: readonly T[], work: (thing: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = []
  for (let at = 0; at < things.length; at += atOnce) {
    results.push(...(await Promise.all(things.slice(at, at + atOnce).map(work))))
  }
  return results
}

const leftovers = `SELECT
  (SELECT count(*)::integer FROM pgboss.job WHERE name = 'activation' AND state < 'completed') AS "liveJobs",
  (SELECT count(*)::integer FROM agents.workflows WHERE active) AS active,
  (SELECT count(*)::integer FROM agents.workflows) AS workflows,
  (SELECT count(*)::integer FROM agents.attempts WHERE status = 'open') AS "openAttempts"`

/** Counts of what is stored. */
export async function countLeftovers(url: string): Promise<Leftovers> {
  const [row] = await ask<Leftovers>(url, leftovers)
  if (row === undefined) throw new Error('nothing was counted')
  return row
}
