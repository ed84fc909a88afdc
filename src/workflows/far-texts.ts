import { createAlarm } from './alarm.ts'
import { textKey } from './chunks.ts'
import type { ChunkPage, ChunkStore, TextPlace } from './chunks.ts'
import type { Followers } from './followers.ts'
import type { HearHints, Hints } from './hints.ts'
import { createLiveText } from './live-texts.ts'
import type { LiveAttempt, LiveTexts } from './live-texts.ts'
import { createSchedule } from './schedule.ts'

const announceEveryMs = 5000
const readEveryMs = 1000
const deafReadEveryMs = 250

export interface FarTextsParts {
  readonly chunks: ChunkStore
  readonly followers: Pick<Followers, 'isFollowed' | 'grew'>
  readonly hints: Hints
  /** This replica runs it, so that its texts are in memory. */
  readonly isHeld: (workflowId: string) => boolean
  readonly report: (error: unknown) => void
}

/** Open texts that are made on other replicas, as far as they are known here. */
export interface FarTexts {
  /**
   * The text of an attempt that is open at a reader's position. Asking for one announces its workflow, for as long as
   * it is followed and the attempt is open, and the followers are told when it has grown. null: it is made here.
   */
  find(workflowId: string, stepIndex: number, attempt: number): LiveAttempt | null
  close(): void
}

/** The texts made here, and where there is none those made elsewhere. For readers. */
export function withFarTexts(live: LiveTexts, far: Pick<FarTexts, 'find'>): LiveTexts {
  return {
    ...live,
    find: (...place) => live.find(...place) ?? far.find(...place),
  }
}

interface Wanted extends TextPlace, LiveAttempt {
  /** There may be more of it. */
  dirty: boolean
}

/** Does nothing before somebody asks for a text. However many read it, each text is read from the store once. */
export function createFarTexts(parts: FarTextsParts): FarTexts {
  return new Far(parts)
}

class Far implements FarTexts {
  readonly #parts: FarTextsParts
  readonly #alarm = createAlarm()
  readonly #wanted = new Map<string, Wanted>()
  /** When each workflow was announced last, by the monotonic clock. */
  readonly #announced = new Map<string, number>()
  /** Workflows held here of which a reader missed a text: if that is lost to another replica, nobody else tells him. */
  readonly #missed = new Set<string>()
  /** Something was heard of a wanted text since all were read last. */
  #heard = false
  /** Texts grow and nobody says so: whoever writes them has no connection for hints. */
  #untold = false
  #running = false
  #closed = false

  constructor(parts: FarTextsParts) {
    this.#parts = parts
  }

  find(workflowId: string, stepIndex: number, attempt: number): LiveAttempt | null {
    const place = { workflowId, stepIndex, attempt }
    const known = this.#wanted.get(textKey(place))
    if (known !== undefined || this.#closed) return known ?? null
    if (this.#parts.isHeld(workflowId)) {
      if (!this.#missed.has(workflowId)) this.#wake(() => this.#missed.add(workflowId))
      return null
    }
    const wanted = { ...place, output: createLiveText(), reasoning: createLiveText(), dirty: true }
    // Whoever runs it may have heard of it long ago, or may be another one by now.
    this.#announced.delete(workflowId)
    this.#wake(() => this.#wanted.set(textKey(place), wanted))
    return wanted
  }

  close(): void {
    this.#closed = true
    this.#alarm.ring()
  }

  #wake(add: () => void): void {
    add()
    if (this.#running) this.#alarm.ring()
    else void this.#run()
  }

  async #run(): Promise<void> {
    const { hints, report } = this.#parts
    const reads = createSchedule({ first: false })
    const leave = hints.listen(this.#hear)
    this.#running = true
    while (this.#prune()) {
      const isPoll = reads.due(hints.listening() && !this.#untold ? readEveryMs : deafReadEveryMs)
      if (isPoll) this.#markDirty(() => true)
      try {
        await this.#announce()
        const grew = await this.#read()
        if (isPoll) this.#judgeHints(grew)
      } catch (error) {
        // A database that comes back after a crash has forgotten what was announced.
        this.#announced.clear()
        report(error)
      }
      await this.#alarm.wait(deafReadEveryMs)
    }
    leave()
    this.#running = false
    this.#wanted.clear()
    this.#announced.clear()
  }

  readonly #hear: HearHints = (_changed, textIds) => {
    const ids = new Set(textIds)
    if (!this.#markDirty(({ workflowId }) => ids.has(workflowId))) return
    this.#heard = true
    this.#alarm.ring()
  }

  #judgeHints(grew: boolean): void {
    if (this.#heard) this.#untold = false
    else if (grew) this.#untold = true
    this.#heard = false
  }

  #markDirty(which: (text: Wanted) => boolean): boolean {
    const texts = [...this.#wanted.values()].filter(which)
    for (const text of texts) text.dirty = true
    return texts.length > 0
  }

  /** Forgets what nobody reads any more, or what is made here by now; false when nothing is left. */
  #prune(): boolean {
    const { followers, isHeld } = this.#parts
    for (const [key, { workflowId }] of this.#wanted) {
      if (!followers.isFollowed(workflowId) || isHeld(workflowId)) this.#wanted.delete(key)
    }
    for (const workflowId of this.#missed) {
      if (followers.isFollowed(workflowId) && isHeld(workflowId)) continue
      this.#missed.delete(workflowId)
      followers.grew(workflowId)
    }
    return !this.#closed && this.#wanted.size + this.#missed.size > 0
  }

  async #announce(): Promise<void> {
    const { chunks, hints } = this.#parts
    const now = performance.now()
    const ids = [...new Set([...this.#wanted.values()].map(({ workflowId }) => workflowId))]
    const due = ids.filter((id) => now - (this.#announced.get(id) ?? -Infinity) >= announceEveryMs)
    if (due.length === 0) return
    const fresh = due.filter((id) => !this.#announced.has(id))
    for (const id of due) this.#announced.set(id, now)
    await chunks.announce(due)
    for (const id of fresh) hints.tellText(id)
  }

  /** true: some of them have grown. */
  async #read(): Promise<boolean> {
    for (let grew = false; ;) {
      const asked = [...this.#wanted.values()].filter(({ dirty }) => dirty)
      if (asked.length === 0) return grew
      for (const text of asked) text.dirty = false
      try {
        const page = await this.#parts.chunks.read(asked.map(toLength))
        grew = this.#take(page) || grew
        if (page.more) for (const text of asked) text.dirty = true
      } catch (error) {
        for (const text of asked) text.dirty = true
        throw error
      }
    }
  }

  #take({ chunks, closed }: ChunkPage): boolean {
    const grown = new Set<string>()
    for (const chunk of chunks) {
      const output = this.#wanted.get(textKey(chunk))?.output
      const known = output === undefined ? 0 : output.length - chunk.from
      // After a crash of the database a text may begin anew: then chunks overlap what is known. One after a gap is of no use.
      if (output === undefined || known < 0 || known >= chunk.text.length) continue
      output.append(chunk.text.slice(known))
      grown.add(chunk.workflowId)
    }
    for (const text of closed) this.#wanted.delete(textKey(text))
    for (const workflowId of grown) this.#parts.followers.grew(workflowId)
    return grown.size > 0
  }
}

function toLength({ workflowId, stepIndex, attempt, output }: Wanted) {
  return { workflowId, stepIndex, attempt, length: output.length }
}
