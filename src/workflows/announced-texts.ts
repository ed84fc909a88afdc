import { textKey } from './chunks.ts'
import type { ChunkStore, NewChunk, TextPlace } from './chunks.ts'
import type { LiveTexts } from './live-texts.ts'
import type { Runner } from './runner.ts'

const announcementLastsMs = 15_000
/** One statement carries so many code units; what is more goes with the next. */
const mostPerStatement = 1_000_000

type RunnerWithTexts = Pick<Runner, 'workflowId' | 'state'>

export interface AnnouncedTextsParts {
  readonly chunks: ChunkStore
  readonly live: Pick<LiveTexts, 'find'>
  /** What this replica runs. */
  readonly loop: { runners(): readonly RunnerWithTexts[]; find(workflowId: string): RunnerWithTexts | undefined }
  /** Told of each workflow of which something was written. */
  readonly onWritten: (workflowId: string) => void
}

/** The open texts that are made here and read on another replica. Its promises are to be awaited one after the other. */
export interface AnnouncedTexts {
  isAnnounced(workflowId: string): boolean
  any(): boolean
  /** Finds out which of the workflows that are run here are announced. */
  look(): Promise<void>
  /** Writes what they have and was not written yet, in one statement; false: there was nothing. */
  write(): Promise<boolean>
}

/** Knows of no announcement until it looks. */
export function createAnnouncedTexts({ chunks, live, loop, onWritten }: AnnouncedTextsParts): AnnouncedTexts {
  let announced: ReadonlySet<string> = new Set()
  // What is stored, as far as it is known here. Of a text that is not in it the store will tell.
  let lengths: ReadonlyMap<string, number> = new Map()

  const openTexts = () => [...announced].flatMap((id) => openTextsOf(loop.find(id), live))
  /** What is not stored yet, as far as there is room for it. */
  const gather = (open: ReturnType<typeof openTexts>): readonly NewChunk[] => {
    const found: NewChunk[] = []
    let room = mostPerStatement
    for (const { output, ...text } of open) {
      const from = lengths.get(textKey(text)) ?? 0
      if (output.length <= from || room === 0) continue
      const piece = cutWell(output.from(from), room)
      room = Math.max(0, room - piece.length)
      if (piece !== '') found.push({ ...text, from, text: piece })
    }
    return found
  }

  return {
    isAnnounced: (workflowId) => announced.has(workflowId),
    any: () => announced.size > 0,
    async look() {
      const held = loop.runners().map(({ workflowId }) => workflowId)
      announced = new Set(held.length === 0 ? [] : await chunks.announced(held, announcementLastsMs))
    },
    async write() {
      const open = openTexts()
      const stillOpen = new Set(open.map((text) => textKey(text)))
      lengths = new Map([...lengths].filter(([key]) => stillOpen.has(key)))
      const grown = gather(open)
      if (grown.length === 0) return false
      const stored = await chunks.append(grown)
      lengths = new Map([...lengths, ...stored.map((text) => [textKey(text), text.length] as const)])
      for (const id of new Set(stored.map(({ workflowId }) => workflowId))) onWritten(id)
      return true
    },
  }
}

function openTextsOf(runner: RunnerWithTexts | undefined, live: Pick<LiveTexts, 'find'>) {
  const state = runner?.state()
  if (state === undefined || state.claim === null) return []
  const { id, claim, steps } = state
  return steps
    .filter(({ status }) => status === 'running')
    .flatMap(({ index, attempt }) => {
      const place: TextPlace = { workflowId: id, stepIndex: index, attempt }
      const found = live.find(id, index, attempt)
      return found === null ? [] : [{ ...place, claim, output: found.output }]
    })
}

/** At most so much of a text, without half a character at its end. */
function cutWell(text: string, most: number): string {
  if (text.length <= most) return text
  const last = text.charCodeAt(most - 1)
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? most - 1 : most)
}
