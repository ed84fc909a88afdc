import { setTimeout as delay } from 'node:timers/promises'
import { readPrompt } from '../chaos/assignments.ts'
import { pickFor } from '../chaos/fault-plan.ts'
import type { Behaviour, Ending, SeenCall, TextAnswer } from '../support/fault-answers.ts'
import { startModelServer } from '../support/fault-server.ts'

/** A call as the model server saw it. */
export interface JournalledCall {
  /** From 0, in order of arrival. */
  readonly index: number
  readonly assignment: number
  readonly step: string
  /** Asks to go on with an answer that was too long. */
  readonly isContinuation: boolean
  /** What it was told, or would have been. */
  readonly said: string
  /** The answer comes to its end. */
  readonly isWhole: boolean
  /** The answer ends because it is too long. */
  readonly isLong: boolean
}

/** A model server with faults, which can also be cut off altogether. */
export interface FaultyModel {
  /** The same whatever happens to it. */
  readonly url: string
  readonly journal: readonly JournalledCall[]
  /** Calls that belong to nobody. */
  strangers(): number
  /** Breaks every answer that runs. */
  cut(): void
  /** Cuts every connection, and refuses new ones until `listen`. */
  refuse(): Promise<void>
  listen(): Promise<void>
  /** From now on nothing goes wrong by itself any more. */
  heal(): void
  close(): Promise<void>
}

type Fault = 'none' | 'refusal' | 'status' | 'busy' | 'cut' | 'reset' | 'eof' | 'stall' | 'malformed' | 'long'

/** Of a hundred calls. */
const shares: readonly (readonly [Fault, number])[] = [
  ['status', 3],
  ['busy', 1],
  ['cut', 3],
  ['reset', 2],
  ['eof', 2],
  ['stall', 1],
  ['malformed', 2],
  ['long', 6],
]
const endings: Partial<Record<Fault, Ending>> = { cut: 'cut', reset: 'reset', eof: 'eof', stall: 'stall' }

/** Starts one on a free port of 127.0.0.1. Its answers take from some tenths of a second to some seconds. */
export async function startFaultyModel(seed: number): Promise<FaultyModel> {
  const journal: JournalledCall[] = []
  const counts = new Map<string, number>()
  let strangers = 0
  let life = 1
  let healthy = false

  const faultOf = (assignment: number, step: string): Fault => {
    const name = `${assignment} ${step}`
    const call = (counts.get(name) ?? 0) + 1
    counts.set(name, call)
    return healthy ? 'none' : drawFault(`${seed} ${name}`, call)
  }
  const answer = (call: SeenCall): Behaviour => {
    const prompt = readPrompt(call.messages.find(({ role }) => role === 'user')?.content ?? '')
    if (prompt === null) {
      strangers += 1
      return 'Who are you?'
    }
    const { run: assignment, step } = prompt
    const fault = faultOf(assignment, step)
    const index = journal.length
    const isContinuation = call.messages.some(({ role }) => role === 'assistant')
    const chunks = chunksOf(`${seed} ${assignment} ${step} ${index}`, index)
    // a continuation that is too long again would make the step incomplete too often
    const isLong = fault === 'long' && !isContinuation
    const isWhole = fault === 'none' || fault === 'long'
    journal.push({ index, assignment, step, isContinuation, said: chunks.join(''), isWhole, isLong })
    const ownLife = life
    const before = async (): Promise<void> => {
      await delay(paceOf(seed, assignment, step))
      if (life !== ownLife) throw new Error('cut by the nemesis')
    }
    // an answer in one piece cannot break in its middle
    if (!call.stream && endings[fault] !== undefined) return { connection: 'hangup' }
    return refusalOf(fault) ?? textOf({ chunks, before, isLong, ending: endings[fault] ?? 'done' })
  }

  const options = { answer, models: ['nemesis'] }
  let server = await startModelServer(options)
  let listening = true
  const { url, port } = server
  return {
    url,
    journal,
    strangers: () => strangers,
    cut: () => void (life += 1),
    async refuse() {
      listening = false
      await server.close()
    },
    async listen() {
      if (listening) return
      listening = true
      server = await startModelServer({ ...options, port })
    },
    heal: () => void (healthy = true),
    close: () => server.close(),
  }
}

/** Some steps are refused at first, so that there is something to resume. */
function drawFault(name: string, call: number): Fault {
  if (call <= 2 && pickFor(`refused ${name}`)(1, 100) <= 5) return 'refusal'
  let drawn = pickFor(`${name} ${call}`)(0, 99)
  for (const [fault, share] of shares) {
    if (drawn < share) return fault
    drawn -= share
  }
  return 'none'
}

function refusalOf(fault: Fault): Behaviour | null {
  const body = { error: { message: 'Not this time.' } }
  if (fault === 'refusal') return { status: 400, body }
  if (fault === 'status') return { status: 500, body }
  if (fault === 'busy') return { status: 429, headers: { 'retry-after': '1' }, body }
  if (fault === 'malformed') {
    return { status: 200, headers: { 'content-type': 'text/event-stream' }, body: 'data: {"choices": [\n\n' }
  }
  return null
}

function textOf(parts: {
  readonly chunks: readonly string[]
  readonly before: () => Promise<void>
  readonly isLong: boolean
  readonly ending: Ending
}): TextAnswer {
  const { chunks, before, isLong, ending } = parts
  return { text: chunks.join(''), chunks, before, ending, finishReason: isLong ? 'length' : 'stop' }
}

/** Tells which call it is the answer to, from its first words to its last. */
function chunksOf(name: string, index: number): readonly string[] {
  const words = Array.from({ length: pickFor(`words ${name}`)(3, 30) }, (_, n) => `word ${n} of ${index} 😀, `)
  return [`Call ${index} says: `, ...words, `end of ${index}.\n`]
}

/** Most steps are quick, some take seconds, so that everything happens in the middle of some. */
function paceOf(seed: number, assignment: number, step: string): number {
  const pick = pickFor(`pace ${seed} ${assignment} ${step}`)
  return pick(1, 8) === 1 ? pick(100, 250) : pick(5, 40)
}
