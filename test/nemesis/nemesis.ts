import { setTimeout as delay } from 'node:timers/promises'
import { pickFor } from '../chaos/fault-plan.ts'
import type { Clients } from './client.ts'
import type { DatabasePower } from './database-power.ts'
import type { FaultyModel } from './faulty-model.ts'
import type { PlannedStrike, Strike } from './plan.ts'
import type { TrackedWorkflow } from './tracked-workflow.ts'
import { sendVerb } from './verbs.ts'
import type { Wish } from './verbs.ts'

/** What the nemesis has in its hands. */
export interface Nemesis {
  readonly clients: Clients
  readonly database: DatabasePower
  readonly model: FaultyModel
  /** Told when something was cut, refused or killed, in milliseconds of the run. */
  readonly onViolence: (fromMs: number, toMs: number) => void
}

/** A violent strike is felt a little longer than it lasts. */
const aftermathMs = 3000

/** Strikes as planned; resolves when all that was broken by it has been mended, or left for `heal`. */
export async function strikeAll(nemesis: Nemesis, plan: readonly PlannedStrike[]): Promise<void> {
  const { history, stop } = nemesis.clients
  const beganAt = history.now()
  const running: Promise<void>[] = []
  for (const [index, strike] of plan.entries()) {
    await delay(Math.max(0, beganAt + strike.atMs - history.now()), undefined, { signal: stop }).catch(() => undefined)
    if (stop.aborted) break
    const struck = strikeOnce(nemesis, strike, index)
    struck.catch(() => undefined)
    running.push(struck)
  }
  const results = await Promise.allSettled(running)
  for (const result of results) {
    if (result.status === 'rejected' && !stop.aborted) throw result.reason
  }
}

async function strikeOnce(nemesis: Nemesis, strike: Strike, index: number): Promise<void> {
  const { clients } = nemesis
  const { history } = clients
  switch (strike.kind) {
    case 'verb':
      return sendAnyVerb(clients, strike, index)
    case 'freeze':
      return freeze(nemesis, strike)
    case 'kill':
    case 'terminate':
      return end(nemesis, strike)
    case 'crash_database':
    case 'stop_database':
    case 'cut_connections':
    case 'refuse_calls':
    case 'cut_calls': {
      const fromMs = history.now()
      history.note(`nemesis: ${strike.kind} ${'awayMs' in strike ? strike.awayMs : ''}`)
      await breakOff(nemesis, strike)
      return nemesis.onViolence(fromMs, history.now() + aftermathMs)
    }
    default:
      return strike satisfies never
  }
}

async function freeze({ clients }: Nemesis, { replica, forMs }: Strike & { readonly kind: 'freeze' }): Promise<void> {
  const { replicas } = clients.cluster
  const chosen = replicas[replica]
  if (chosen?.isFit() !== true || replicas.some((other) => other.isFrozen())) return
  chosen.freeze()
  await delay(forMs, undefined, { signal: clients.stop }).catch(() => undefined)
  chosen.thaw()
}

async function end(
  { clients, onViolence }: Nemesis,
  { kind, replica, awayMs }: Strike & { readonly kind: 'kill' | 'terminate' },
): Promise<void> {
  const { cluster, history, stop } = clients
  const chosen = cluster.replicas[replica]
  if (chosen === undefined) return
  if (kind === 'kill') {
    const at = history.now()
    await chosen.kill()
    onViolence(at, history.now())
  } else if (chosen.isFit()) await chosen.terminate()
  else return
  await delay(awayMs, undefined, { signal: stop }).catch(() => undefined)
  if (!stop.aborted) chosen.start()
}

type Break = Exclude<Strike, { readonly kind: 'verb' | 'freeze' | 'kill' | 'terminate' }>

async function breakOff({ clients, database, model }: Nemesis, strike: Break): Promise<void> {
  const pause = (ms: number) => delay(ms, undefined, { signal: clients.stop }).catch(() => undefined)
  switch (strike.kind) {
    case 'cut_calls':
      return model.cut()
    case 'refuse_calls':
      await model.refuse()
      await pause(strike.awayMs)
      return model.listen()
    case 'cut_connections':
      return database.cutConnections()
    case 'crash_database':
    case 'stop_database':
      if (!(await (strike.kind === 'crash_database' ? database.crash() : database.shutDown()))) return
      await pause(strike.awayMs)
      return database.on()
    default:
      return strike satisfies never
  }
}

/** A verb for any of the workflows that are known, whether it makes sense or not. */
async function sendAnyVerb(
  clients: Clients,
  { verb, whom }: Strike & { readonly kind: 'verb' },
  index: number,
): Promise<void> {
  const lately = clients.tracked.slice(-30)
  const tracked = lately[whom % Math.max(1, lately.length)]
  if (tracked === undefined) return
  const pick = pickFor(`verb ${clients.seed} ${index}`)
  await sendVerb(clients, tracked, { ...wishFor(tracked, verb, whom), key: `nemesis ${index} ${verb}`, pick })
}

function wishFor(tracked: TrackedWorkflow, verb: Wish['verb'], whom: number): Wish {
  if (verb === 'cancel' || verb === 'resume') return { verb }
  const [gate] = tracked.gates()
  const { steps } = tracked.assignment
  const step = (verb === 'rerun' ? undefined : gate?.[0]) ?? steps[whom % steps.length]?.id ?? ''
  return { verb, step, ...(gate?.[0] === step && verb !== 'rerun' ? { attempt: gate[1] } : {}) }
}
