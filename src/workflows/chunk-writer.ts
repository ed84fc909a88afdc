import { createAlarm } from './alarm.ts'
import { createAnnouncedTexts } from './announced-texts.ts'
import type { AnnouncedTextsParts } from './announced-texts.ts'
import type { HearHints, Hints } from './hints.ts'
import { createSchedule } from './schedule.ts'

const writeEveryMs = 100
/** A text that was quiet goes out as soon as it is seen to have grown. */
const seeEveryMs = 25
const lookEveryMs = 1000
const deafLookEveryMs = 250
const sweepEveryMs = 60_000

export interface ChunkWriterParts extends Omit<AnnouncedTextsParts, 'onWritten'> {
  readonly hints: Hints
  readonly report: (error: unknown) => void
}

/** Writes the open texts of this replica for readers on others. */
export interface ChunkWriter {
  start(): void
  stop(): void
}

/**
 * Costs a look a second while this replica runs something, and nothing else before a workflow of its own is announced.
 * From then on what is announced and has grown goes out together, at most every 100 ms, until 15 s without a word. The
 * other replicas are told after it is stored.
 */
export function createChunkWriter(parts: ChunkWriterParts): ChunkWriter {
  const { chunks, hints, loop, report } = parts
  const alarm = createAlarm()
  const texts = createAnnouncedTexts({ ...parts, onWritten: (id) => hints.tellText(id) })
  const looks = createSchedule()
  const sweeps = createSchedule({ first: false })
  let writtenAt = -Infinity
  let hinted = false
  let stopped = false
  let leave: (() => void) | null = null

  const hear: HearHints = (_changed, textIds) => {
    // Other replicas say as well when they have written something.
    if (!textIds.some((id) => loop.find(id) !== undefined && !texts.isAnnounced(id))) return
    hinted = true
    alarm.ring()
  }
  const doWhatIsDue = async () => {
    const isDue = looks.due(hints.listening() ? lookEveryMs : deafLookEveryMs)
    if (hinted || isDue) {
      hinted = false
      await texts.look()
    }
    const startedAt = performance.now()
    if (startedAt - writtenAt >= writeEveryMs && (await texts.write())) writtenAt = startedAt
    if (sweeps.due(sweepEveryMs)) await chunks.sweep()
  }
  const run = async () => {
    while (!stopped) {
      const failed = await doWhatIsDue().catch((error: unknown) => {
        report(error)
        return true
      })
      const mayWriteInMs = Math.max(writtenAt + writeEveryMs - performance.now(), 0) || seeEveryMs
      await alarm.wait(failed === true || !texts.any() ? deafLookEveryMs : mayWriteInMs)
    }
  }
  return {
    start() {
      leave = hints.listen(hear)
      void run()
    },
    stop() {
      stopped = true
      leave?.()
      alarm.ring()
    },
  }
}
