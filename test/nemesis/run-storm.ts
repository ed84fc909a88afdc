import { setTimeout as delay } from 'node:timers/promises'
import { assignmentOf } from './assignments.ts'
import { runClient } from './client.ts'
import type { Clients } from './client.ts'
import type { Cluster } from './cluster.ts'
import { collectWorkflows, countLeftovers } from './collect.ts'
import type { Disturbance } from './collect.ts'
import type { DatabasePower } from './database-power.ts'
import type { Evidence } from './evidence.ts'
import type { FaultyModel } from './faulty-model.ts'
import type { History } from './history.ts'
import { strikeAll } from './nemesis.ts'
import type { NemesisOptions } from './options.ts'
import { planStrikes } from './plan.ts'
import { settle } from './settle.ts'

const clientCount = 20

/** Where it all happens. */
export interface World {
  readonly options: NemesisOptions
  readonly databaseUrl: string
  readonly database: DatabasePower
  readonly model: FaultyModel
  readonly cluster: Cluster
  readonly history: History
  readonly stop: AbortSignal
}

/** Lets clients, readers and the nemesis loose, heals everything, and gathers what is left when all has ended. */
export async function runStorm(world: World): Promise<Evidence> {
  const { options, databaseUrl, database, model, cluster, history, stop } = world
  const { seed, stormMs } = options
  const [calm, settled] = [new AbortController(), new AbortController()]
  const faults: string[] = []
  const disturbances: Disturbance[] = []
  const clients = createClients(world, { calm: calm.signal, settled: settled.signal, faults })
  const onViolence = (fromMs: number, toMs: number): void => void disturbances.push({ fromMs, toMs })

  const working = Promise.all(Array.from({ length: clientCount }, (_, number) => runClient(clients, number)))
  working.catch(() => undefined)
  const striking = strikeAll({ clients, database, model, onViolence }, planStrikes(seed, stormMs))
  striking.catch(() => undefined)
  await delay(stormMs, undefined, { signal: stop })
  calm.abort()
  history.note('the storm is over')
  await striking
  model.heal()
  await model.listen()
  await database.on()
  await cluster.heal()
  await working
  history.note('all is healed')
  const unended = await settle(clients, databaseUrl)
  settled.abort()
  history.note('all is settled')
  const workflows = await collectWorkflows(clients, model, disturbances)
  await cluster.terminate()
  const left = await countLeftovers(databaseUrl)
  const strangers = model.strangers() === 0 ? [] : [`${model.strangers()} calls belong to nobody`]
  return { workflows, unended, left, faults: [...faults, ...cluster.faults(), ...strangers], log: cluster.log() }
}

function createClients(
  { options, model, cluster, history, stop }: World,
  { calm, settled, faults }: Pick<Clients, 'calm' | 'settled'> & { readonly faults: string[] },
): Clients {
  let asked = 0
  const onFault = (fault: string, workflow: string | null): void => {
    history.note(`FAULT ${fault}`, workflow)
    faults.push(workflow === null ? fault : `${workflow}: ${fault}`)
  }
  const nextAssignment = () => assignmentOf(options.seed, (asked += 1))
  const calls = () => model.journal.length
  const lists = { tracked: [], readers: [] }
  return { cluster, history, stop, onFault, seed: options.seed, nextAssignment, calls, calm, settled, ...lists }
}
