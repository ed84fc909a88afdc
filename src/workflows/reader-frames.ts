import type { OpenText } from './cursor.ts'
import { keepsAttempt, voidsAttempt } from './events.ts'
import type { LifecycleEvent } from './events.ts'
import type { LiveAttempt, LiveTexts } from './live-texts.ts'
import type { Clock } from './queue.ts'
import type { Frame } from './service.ts'
import { thoughtKey } from './reader-stand.ts'
import type { ReaderStand } from './reader-stand.ts'
import type { StoredLog } from './stored-log.ts'
import type { WireTimes } from './wire.ts'
import type { WorkflowState } from './workflow.ts'

/** The frames that moving a reader's stand makes. */
export interface ReaderFrames {
  /**
   * Frames of one stored event: before a closing one the rest of its text. Moves on only as far as `room` allows.
   * null: the text is gone, and with it the workflow.
   */
  pass(event: LifecycleEvent, room: number): Promise<readonly Frame[] | null>
  /** What the open texts have beyond the position; fewer than `room` when that is all. */
  grow(room: number): readonly Frame[]
}

interface ReaderFramesParts {
  readonly log: StoredLog
  readonly live: LiveTexts
  readonly clock: Clock
  readonly times: WireTimes
  readonly stand: ReaderStand
}

/** Keeps of the workflow only what frames say of it: thousands of readers may hold one. */
export function createReaderFrames(
  { log, live, clock, times, stand }: ReaderFramesParts,
  { id, correlationId, steps }: WorkflowState,
): ReaderFrames {
  const names = steps.map((step) => step.definition.id)
  const frame = (type: string, data: Readonly<Record<string, unknown>>): Frame => ({
    id: stand.cursor(),
    type,
    data: JSON.stringify({ type, workflow_id: id, ...data }),
  })
  const dataOf = createTextData({ id, correlationId, names })
  const delta = (at: OpenText, text: string, moment: number): Frame => {
    const { stepIndex, attempt, offset } = at
    stand.open.set(stepIndex, { stepIndex, attempt, offset: offset + text.length })
    const type = 'step.delta'
    return { id: stand.cursor(), type, data: dataOf({ type, at, offset, text, time: times(moment) }) }
  }
  const thought = (at: OpenText, text: string): Frame => {
    const type = 'step.reasoning'
    return { id: null, type, data: dataOf({ type, at, offset: null, text, time: times(clock.now()) }) }
  }

  return {
    async pass(event, room) {
      const found = event.step === null ? -1 : names.indexOf(event.step)
      const index = found < 0 ? null : found
      const output = await log.closingText(event, index)
      if (output === 'gone') return null
      const frames: Frame[] = []
      const at = index === null ? undefined : stand.open.get(index)
      if (at !== undefined && output !== null && output.text.length > at.offset) {
        frames.push(delta(at, output.text.slice(at.offset), event.at))
        if (room < 2) return frames
      }
      if (index !== null) turn(stand, event, index)
      stand.seq = event.seq
      frames.push(frame(event.type, wireEvent(event, { at: times(event.at), output: output?.shown ?? null })))
      return frames
    },
    grow(room) {
      const frames: Frame[] = []
      for (const at of stand.open.values()) {
        if (frames.length >= room) break
        const attempt = live.find(id, at.stepIndex, at.attempt)
        if (attempt === null) continue
        const reasoning = nextThought(stand.thoughts, at, attempt)
        if (reasoning !== '') frames.push(thought(at, reasoning))
        const text = attempt.output.from(at.offset)
        if (text !== '') frames.push(delta(at, text, clock.now()))
      }
      return frames
    },
  }
}

interface TextFrame {
  readonly type: 'step.delta' | 'step.reasoning'
  readonly at: OpenText
  /** null: it says none. */
  readonly offset: number | null
  readonly text: string
  readonly time: string
}

/** The data of frames with a step's text. Only the text can need escapes, and what is the same in all is made once. */
function createTextData(of: {
  readonly id: string
  readonly correlationId: string
  readonly names: readonly string[]
}): (frame: TextFrame) => string {
  // most who wait have not been given any yet
  let afterTime: Map<number, string> | null = null
  const fixed = (stepIndex: number): string => {
    const step = of.names[stepIndex] ?? ''
    const made = `","correlation_id":${JSON.stringify(of.correlationId)},"step":${JSON.stringify(step)},"attempt":`
    afterTime = (afterTime ?? new Map<number, string>()).set(stepIndex, made)
    return made
  }
  return ({ type, at, offset, text, time }) => {
    const about = `${afterTime?.get(at.stepIndex) ?? fixed(at.stepIndex)}${at.attempt}`
    const place = offset === null ? '' : `,"offset":${offset}`
    return `{"type":"${type}","workflow_id":"${of.id}","at":"${time}${about}${place},"text":${JSON.stringify(text)}}`
  }
}

/** Reasoning is live only: a reader gets what is thought from the moment it first looks at an attempt. */
function nextThought(thoughts: Map<string, number>, at: OpenText, { output, reasoning }: LiveAttempt): string {
  const key = thoughtKey(at)
  const seen = thoughts.get(key)
  if (seen === reasoning.length) return ''
  thoughts.set(key, reasoning.length)
  // Before the first text nobody has missed anything that matters: thinking comes first.
  return reasoning.from(seen ?? (output.length === 0 ? 0 : reasoning.length))
}

function turn({ open, thoughts }: ReaderStand, event: LifecycleEvent, stepIndex: number): void {
  const starts = event.type === 'step.started'
  if (!starts && !keepsAttempt(event.type) && !voidsAttempt(event.type)) return
  const before = open.get(stepIndex)
  if (before !== undefined) thoughts.delete(thoughtKey(before))
  if (starts) open.set(stepIndex, { stepIndex, attempt: event.attempt ?? 0, offset: 0 })
  else open.delete(stepIndex)
}

/** A stored event as it stands on the wire, without type and workflow. */
export function wireEvent(
  event: LifecycleEvent,
  { at, output }: { readonly at: string; readonly output: string | null },
): Readonly<Record<string, unknown>> {
  return {
    seq: event.seq,
    at,
    correlation_id: event.correlationId,
    ...(event.step === null ? {} : { step: event.step, attempt: event.attempt }),
    ...(output === null ? {} : { output }),
    ...event.data,
  }
}
