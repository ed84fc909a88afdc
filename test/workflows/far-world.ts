import { AppError } from '../../src/errors.ts'
import { createAnnouncedTexts } from '../../src/workflows/announced-texts.ts'
import type { ChunkStore } from '../../src/workflows/chunks.ts'
import type { EventReaderParts } from '../../src/workflows/event-reader.ts'
import { createFarTexts, withFarTexts } from '../../src/workflows/far-texts.ts'
import type { FarTexts } from '../../src/workflows/far-texts.ts'
import type { HearHints, Hints } from '../../src/workflows/hints.ts'
import { createLiveTexts } from '../../src/workflows/live-texts.ts'
import { firstClaim, step } from '../contract/fixtures.ts'
import { createMemoryChunks } from '../support/memory-chunks.ts'
import type { MemoryChunks } from '../support/memory-chunks.ts'
import { openAttempts } from './event-world.ts'
import type { EventWorld } from './event-world.ts'
import type { Draw } from './unsteady-reader.ts'

/** A replica that makes nothing, beside the one that makes all of a world. */
export interface FarWorld {
  /** What its readers read with. */
  readonly parts: EventReaderParts
  readonly chunks: MemoryChunks
  readonly far: FarTexts
  /** How often a reader found some text of an attempt that was still open. */
  found(): number
  /** Lets the maker look for announcements, or write; or something else go wrong between the two. */
  happen(): Promise<void>
}

/** Hints of which some are lost. */
function createShakyHints(isLost: () => boolean): Hints {
  const listeners = new Set<HearHints>()
  return {
    tell: () => undefined,
    tellText(id) {
      if (!isLost()) for (const hear of listeners) hear([], [id])
    },
    listen(hear) {
      listeners.add(hear)
      return () => void listeners.delete(hear)
    },
    listening: () => true,
  }
}

function away(): never {
  throw new AppError('unavailable', 'The database is away.')
}

/** Some calls are never made, and of some the answer is lost. */
function shaky(chunks: ChunkStore, draw: Draw): ChunkStore {
  const hard = <A extends unknown[], R>(method: (...values: A) => Promise<R>) => {
    return async (...values: A): Promise<R> => {
      const fate = draw(40)
      if (fate === 0) away()
      const result = await method(...values)
      return fate === 1 ? away() : result
    }
  }
  return {
    announce: hard(chunks.announce),
    announced: hard(chunks.announced),
    append: hard(chunks.append),
    read: hard(chunks.read),
    sweep: hard(chunks.sweep),
  }
}

/** Builds one; `draw` decides what goes wrong. */
export function createFarWorld(world: EventWorld, draw: Draw): FarWorld {
  const { parts, workflow, log } = world
  const open = () => openAttempts(log)
  let claim = firstClaim
  const chunks = createMemoryChunks({
    isOpen: ({ stepIndex, attempt }) => open().some((one) => one.stepIndex === stepIndex && one.attempt === attempt),
    isClaimed: (chunk) => chunk.claim.retry === claim.retry,
    pageSize: 3,
  })
  const hints = createShakyHints(() => draw(6) === 0)
  const shakyChunks = shaky(chunks, draw)
  const held = (claimed = claim) => ({
    workflowId: workflow.id,
    state: () => ({
      ...workflow,
      claim: claimed,
      steps: open().map(({ stepIndex, attempt }) => step(stepIndex, { status: 'running', attempt })),
    }),
  })
  const maker = (makeRunner: () => ReturnType<typeof held>) =>
    createAnnouncedTexts({
      chunks: shakyChunks,
      live: parts.live,
      loop: { runners: () => [makeRunner()], find: () => makeRunner() },
      onWritten: (id) => hints.tellText(id),
    })
  let texts = maker(held)
  const far = createFarTexts({
    chunks: shakyChunks,
    followers: parts.followers,
    hints,
    isHeld: () => false,
    report: () => undefined,
  })

  const takeOver = () => {
    // The new one knows nothing of what was written, and the old one may still try to write.
    const before = claim
    claim = { ...claim, retry: claim.retry + 1 }
    texts = maker(held)
    return before
  }
  const writeAsBefore = async () => {
    const frozen = maker(() => held(before))
    const before = takeOver()
    await frozen.look()
    await frozen.write()
  }

  let found = 0
  const find: FarTexts['find'] = (...place) => {
    const text = far.find(...place)
    if ((text?.output.length ?? 0) > 0) found += 1
    return text
  }
  return {
    parts: { ...parts, live: withFarTexts(createLiveTexts(), { find }) },
    found: () => found,
    chunks,
    far,
    async happen() {
      const what = draw(20)
      try {
        if (what === 0) chunks.crash()
        else if (what === 1) await writeAsBefore()
        else if (what < 8) await texts.look()
        else await texts.write()
      } catch (error) {
        if (!(error instanceof AppError)) throw error
      }
    },
  }
}
