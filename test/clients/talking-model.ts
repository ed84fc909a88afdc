import type { ModelServerDouble } from '../support/fault-server.ts'
import { startModelServer } from '../support/fault-server.ts'

const chunksPerHalf = 20

/** A model that says half of each text, and the rest when it is told to. */
export interface TalkingModel {
  readonly server: ModelServerDouble
  /** What the n-th call (from 0) is answered. */
  text(call: number): string
  /** Half of it, which is said at once. */
  firstHalf(call: number): string
  /** Lets the n-th call say the rest. */
  release(call: number): void
}

function chunksOf(call: number): readonly string[] {
  return Array.from({ length: 2 * chunksPerHalf }, (_, n) => `word ${n} of call ${call} 😀\r\n`)
}

/** Starts one on a free port. */
export async function startTalkingModel(): Promise<TalkingModel> {
  const held = new Map<number, PromiseWithResolvers<void>>()
  const holdOf = (call: number) => {
    const hold = held.get(call) ?? Promise.withResolvers<void>()
    held.set(call, hold)
    return hold
  }
  const server = await startModelServer({
    answer: ({ index }) => {
      const chunks = chunksOf(index)
      const before = (at: number) => (at < chunksPerHalf ? undefined : holdOf(index).promise)
      return { text: chunks.join(''), chunks, before }
    },
  })
  return {
    server,
    text: (call) => chunksOf(call).join(''),
    firstHalf: (call) => chunksOf(call).slice(0, chunksPerHalf).join(''),
    release: (call) => holdOf(call).resolve(),
  }
}
