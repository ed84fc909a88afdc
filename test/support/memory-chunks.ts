import { textKey } from '../../src/workflows/chunks.ts'
import type { ChunkStore, NewChunk, TextPlace } from '../../src/workflows/chunks.ts'

/** Chunks in memory, of texts of which the test knows whether they are open, and to whom. */
export interface MemoryChunks extends ChunkStore {
  /** The database crashes: all that is in tables that do not survive that is gone. */
  crash(): void
  /** How often each method was called. */
  readonly calls: Readonly<Record<keyof ChunkStore, number>>
}

export interface MemoryChunksParts {
  readonly isOpen: (place: TextPlace) => boolean
  readonly isClaimed: (chunk: NewChunk) => boolean
  /** Chunks of one text that a page holds. */
  readonly pageSize?: number
}

/** Creates an empty one; announcements do not age. */
export function createMemoryChunks({ isOpen, isClaimed, pageSize = 1000 }: MemoryChunksParts): MemoryChunks {
  const stored = new Map<string, readonly NewChunk[]>()
  const announcements = new Set<string>()
  const calls = { announce: 0, announced: 0, append: 0, read: 0, sweep: 0 }
  const chunksOf = (place: TextPlace) => stored.get(textKey(place)) ?? []
  const endOf = (place: TextPlace) => {
    const last = chunksOf(place).at(-1)
    return last === undefined ? 0 : last.from + last.text.length
  }

  return {
    calls,
    crash() {
      stored.clear()
      announcements.clear()
    },
    async announce(ids) {
      calls.announce += 1
      for (const id of ids) announcements.add(id)
    },
    async announced(ids) {
      calls.announced += 1
      return ids.filter((id) => announcements.has(id))
    },
    async append(chunks) {
      calls.append += 1
      const written = chunks.filter((chunk) => isOpen(chunk) && isClaimed(chunk))
      for (const chunk of written) {
        if (chunk.from === endOf(chunk)) stored.set(textKey(chunk), [...chunksOf(chunk), chunk])
      }
      return written.map(({ workflowId, stepIndex, attempt }) => {
        const place = { workflowId, stepIndex, attempt }
        return Object.assign(place, { length: endOf(place) })
      })
    },
    async read(texts) {
      calls.read += 1
      const open = texts.filter(isOpen)
      const found = open.map((text) =>
        chunksOf(text).filter(({ from, text: { length } }) => from + length > text.length),
      )
      return {
        chunks: found.flatMap((chunks) => chunks.slice(0, pageSize)),
        closed: texts.filter((text) => !isOpen(text)),
        more: found.some((chunks) => chunks.length > pageSize),
      }
    },
    async sweep() {
      calls.sweep += 1
    },
  }
}
