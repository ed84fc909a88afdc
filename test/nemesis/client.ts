import { setTimeout as delay } from 'node:timers/promises'
import { pickFor } from '../chaos/fault-plan.ts'
import type { Assignment } from './assignments.ts'
import type { Pick } from './cluster.ts'
import { startReader } from './reader.ts'
import type { Reader, ReaderParts } from './reader.ts'
import { post } from './request.ts'
import type { Answer } from './request.ts'
import { trackWorkflow } from './tracked-workflow.ts'
import type { TrackedWorkflow } from './tracked-workflow.ts'
import { sendVerb } from './verbs.ts'
import type { Wish } from './verbs.ts'

/** What all clients share. */
export interface Clients extends ReaderParts {
  readonly seed: number
  /** The next assignment that nobody has asked for yet. */
  readonly nextAssignment: () => Assignment
  readonly tracked: TrackedWorkflow[]
  readonly readers: Reader[]
  readonly calls: () => number
  /** Aborted when no new workflows are to be started, and no answers to be given. */
  readonly calm: AbortSignal
}

const lookMs = 50
/** A client that asks for much soon asks for little more. */
const [shortestRestMs, longestRestMs] = [200, 1500]
const duplicateShare = 30

/** Starts workflows one after the other, follows each, and answers what it asks, until it becomes calm. */
export async function runClient(clients: Clients, number: number): Promise<void> {
  const rest = pickFor(`rest ${clients.seed} ${number}`)
  while (!clients.calm.aborted) {
    await delay(rest(shortestRestMs, longestRestMs))
    if (!clients.calm.aborted) await runOne(clients, clients.nextAssignment())
  }
}

async function runOne(clients: Clients, assignment: Assignment): Promise<void> {
  const pick = pickFor(`client ${clients.seed} ${assignment.number}`)
  const askedAtMs = clients.history.now()
  const id = await startWorkflow(clients, assignment, pick)
  if (id === null) return
  const { history, calls } = clients
  const tracked = trackWorkflow({ id, assignment, askedAtMs, now: () => history.now(), calls })
  clients.tracked.push(tracked)
  const readers = pick(1, 2)
  for (let reader = 1; reader <= readers; reader += 1) {
    const name = `reader${reader} of ${assignment.number}`
    clients.readers.push(startReader(clients, tracked, { name, pick: pickFor(`${clients.seed} ${name}`) }))
  }
  await lead(clients, tracked, pick)
}

/** Its id, the same from every answer; null when there is none. */
async function startWorkflow(clients: Clients, assignment: Assignment, pick: Pick): Promise<string | null> {
  const key = `start ${assignment.number}`
  const request = { path: '/workflows', body: assignment.body, key, workflow: null }
  const repeated = pick(1, 100) <= duplicateShare
  const [first, second] = [1, 2].map((n) => pickFor(`start ${clients.seed} ${assignment.number} ${n}`)) as [Pick, Pick]
  const atOnce = pick(1, 2) === 1
  const answers: Answer[] = []
  const send = async (way: Pick): Promise<void> => void answers.push(await post(clients, request, way))
  if (repeated && atOnce) await Promise.all([send(first), send(second)])
  else {
    await send(first)
    if (repeated) await send(second)
  }
  return judgeStart(clients, { key, answers })
}

/** However often it was sent: one workflow, started by one of the requests. */
function judgeStart(clients: Clients, { key, answers }: { readonly key: string; readonly answers: readonly Answer[] }) {
  const wrong = answers.filter(({ status }) => status !== 202)
  const ids = new Set(answers.map(({ body }) => body.id))
  const firsts = answers.filter(({ replayed }) => !replayed)
  const mayBeLost = answers.some(({ unanswered }) => unanswered > 0)
  if (wrong.length > 0) clients.onFault(`[${key}] was answered ${wrong.map(({ status }) => status).join()}`, null)
  if (ids.size > 1) clients.onFault(`[${key}] has started ${[...ids].join()}`, null)
  if (firsts.length > 1 || (firsts.length === 0 && !mayBeLost)) {
    clients.onFault(`[${key}] was started by ${firsts.length} of its requests`, answers[0]?.body.id ?? null)
  }
  return answers[0]?.body.id ?? null
}

const mostRevivals = 2
const [shortestPatienceMs, longestPatienceMs] = [3000, 20_000]

/** Answers gates and revives what has ended, as it likes, until it has seen enough of it. */
async function lead(clients: Clients, tracked: TrackedWorkflow, pick: Pick): Promise<void> {
  let [revivals, sent] = [0, 0]
  const leaveAtMs = clients.history.now() + pick(shortestPatienceMs, longestPatienceMs)
  const judged = new Set<string>()
  const send = (wish: Wish): Promise<number> => {
    sent += 1
    const key = `client ${tracked.assignment.number} ${sent} ${wish.verb}`
    return sendVerb(clients, tracked, { ...wish, key, pick })
  }
  while (!clients.calm.aborted && clients.history.now() < leaveAtMs) {
    await delay(lookMs)
    for (const [step, attempt] of tracked.gates()) {
      const gate = `${step}@${attempt}`
      const wish = judged.has(gate) ? null : judgement(pick, step, attempt)
      judged.add(gate)
      if (wish !== null) await send(wish)
    }
    if (!tracked.hasEnded()) continue
    const wish = revivals < mostRevivals ? revival(tracked, pick) : null
    if (wish === null) return
    revivals += 1
    await send(wish)
  }
}

/** What a client makes of a text; null: it leaves it to others. */
function judgement(pick: Pick, step: string, attempt: number): Wish | null {
  const drawn = pick(1, 10)
  if (drawn <= 5) return { verb: 'approve', step, attempt }
  if (drawn === 6)
    return { verb: 'approve', step, attempt, output: `Edited by hand 😀, instead of attempt ${attempt}.` }
  return drawn <= 9 ? { verb: 'reject', step, attempt } : null
}

/** How a client goes on with what has ended; null: not at all. */
function revival(tracked: TrackedWorkflow, pick: Pick): Wish | null {
  const drawn = pick(1, 10)
  if (tracked.status() !== 'completed') return drawn <= 7 ? { verb: 'resume' } : null
  const { steps } = tracked.assignment
  const step = steps[pick(0, steps.length - 1)]?.id ?? ''
  return drawn <= 2 ? { verb: 'rerun', step } : null
}
