import { setTimeout as delay } from 'node:timers/promises'
import { pickFor } from '../chaos/fault-plan.ts'
import type { Clients } from './client.ts'
import { ask } from './database-power.ts'
import { getJson } from './request.ts'
import { sendVerb } from './verbs.ts'

const lookMs = 250
/** Longer than anything lawful takes without an event: a lost workflow comes back after some ten seconds. */
const mostStillMs = 45_000

interface Approvals {
  readonly data: readonly { readonly workflow_id: string; readonly step: string; readonly attempt: number }[]
}

interface Open {
  readonly id: string
  readonly status: string
  readonly seq: string
}

/**
 * Approves all that waits until every workflow has ended. Resolves with those that have not, once nothing has moved for
 * so long that nothing will.
 */
export async function settle(clients: Clients, databaseUrl: string): Promise<readonly string[]> {
  const { history, stop } = clients
  let [seen, movedAt] = ['', history.now()]
  for (let round = 0; ; round += 1) {
    const open = await ask<Open>(databaseUrl, openWorkflows)
    if (open.length === 0) return []
    const now = JSON.stringify(open)
    if (now !== seen) [seen, movedAt] = [now, history.now()]
    const names = open.map(({ id, status }) => `${id} is ${status}`)
    if (history.now() - movedAt > mostStillMs || stop.aborted) return names
    await approveAll(clients, round)
    await delay(lookMs)
  }
}

const openWorkflows = `SELECT id, status, seq::text FROM agents.workflows
  WHERE status NOT IN ('completed', 'failed', 'cancelled') ORDER BY id`

async function approveAll(clients: Clients, round: number): Promise<void> {
  const pick = pickFor(`settle ${clients.seed} ${round}`)
  const { data } = await getJson<Approvals>(clients, '/approvals', pick)
  const answers = data.map(async ({ workflow_id, step, attempt }) => {
    const tracked = clients.tracked.find(({ id }) => id === workflow_id)
    if (tracked === undefined) return clients.onFault(`${workflow_id} waits, and nobody has started it`, workflow_id)
    const key = `settle ${round} ${workflow_id} ${step}`
    return void (await sendVerb(clients, tracked, { verb: 'approve', step, attempt, key, pick }))
  })
  await Promise.all(answers)
}
