import { setTimeout as delay } from 'node:timers/promises'
import type { Behaviour, HttpAnswer, NoAnswer, SeenCall } from '../support/fault-answers.ts'
import { startModelServer } from '../support/fault-server.ts'
import { readPrompt, scriptedAnswer } from './assignments.ts'
import { pickFor } from './fault-plan.ts'
import type { OutageForm } from './outage-scenarios.ts'

/** A model server that can die and come back. */
export interface MortalModel {
  /** The same in every life. */
  readonly url: string
  /** Chat completions that have reached it, in all lives. */
  seen(): number
  /** Those that belong to no step. */
  strangers(): number
  /** Answers that run. */
  inFlight(): number
  /** Before this its answers only drip: the first are not at their end before the last have begun. */
  begin(): void
  die(form: OutageForm): Promise<void>
  /** What hung goes on hanging; calls from now on are answered. */
  revive(): Promise<void>
  close(): Promise<void>
}

const pieces = 24
/** Calls take from 2 to 6 s, so that they end at all times and one lost to a deadline of seconds is no longer than others. */
const [shortestPieceMs, longestPieceMs] = [80, 250]
/** Until all calls run: slow enough for a busy machine to start them, and not silent. */
const heldPieceMs = 1000

const down: HttpAnswer = { status: 503, body: { error: { message: 'The server is down.', type: 'server_error' } } }
const silent: NoAnswer = { connection: 'silence' }

interface State {
  /** What ails it; null: nothing. */
  form: OutageForm | null
  /** Which life this is: an answer does not outlast its own. */
  life: number
  hasBegun: boolean
  strangers: number
}

/** Starts one on a free port of 127.0.0.1; each of its answers takes some seconds. */
export async function startMortalModel(seed: number): Promise<MortalModel> {
  const state: State = { form: null, life: 1, hasBegun: false, strangers: 0 }
  const options = {
    answer: (call: SeenCall) => ailment(state) ?? answerTo(call, { seed, state }),
    get: () => ailment(state) ?? undefined,
    models: ['chaos'],
  }
  let server = await startModelServer(options)
  let seenBefore = 0
  const { url, port } = server
  return {
    url,
    seen: () => seenBefore + server.calls.length,
    strangers: () => state.strangers,
    inFlight: () => server.running,
    begin: () => {
      state.hasBegun = true
    },
    die: async (form) => {
      Object.assign(state, { form, life: state.life + 1 })
      if (form === 'refuse') await server.close()
    },
    revive: async () => {
      if (state.form === 'refuse') {
        seenBefore += server.calls.length
        server = await startModelServer({ ...options, port })
      }
      state.form = null
    },
    close: () => server.close(),
  }
}

function ailment({ form }: State): HttpAnswer | NoAnswer | null {
  if (form === null) return null
  return form === 'hang' ? silent : down
}

function answerTo({ user }: SeenCall, { seed, state }: { readonly seed: number; readonly state: State }): Behaviour {
  const prompt = readPrompt(user)
  if (prompt === null) state.strangers += 1
  const text = scriptedAnswer(seed, prompt?.run ?? -1, prompt?.step ?? '')
  const pieceMs = pickFor(`pace ${seed} ${prompt?.run} ${prompt?.step}`)(shortestPieceMs, longestPieceMs)
  const { life } = state
  const before = async (): Promise<void> => {
    await delay(state.hasBegun ? pieceMs : heldPieceMs)
    if (state.life !== life) await endWith(state)
  }
  // nothing of it depends on what a prompt counts
  return { text, chunks: cutInPieces(text), before, usage: null }
}

/** The server has died in the middle of an answer: it is cut, or nothing more comes. */
async function endWith({ form }: State): Promise<never> {
  if (form !== 'hang') throw new Error('the server has died')
  return new Promise<never>(() => undefined)
}

function cutInPieces(text: string): readonly string[] {
  const points = Array.from(text)
  const size = Math.ceil(points.length / pieces)
  return Array.from({ length: pieces }, (_, piece) => points.slice(piece * size, (piece + 1) * size).join(''))
}
