import type { EventReader } from '../../src/workflows/service.ts'

/** An event as a client reads it. */
export interface SeenEvent {
  readonly id: string | null
  readonly type: string
  readonly seq?: number
  readonly step?: string
  readonly attempt?: number
  readonly offset?: number
  readonly text?: string
  readonly output?: string
  readonly delay_ms?: number
  readonly error?: { readonly code: string; readonly message: string; readonly attempts?: number }
  readonly usage?: { readonly llm_calls: number; readonly input_tokens: number; readonly output_tokens: number }
  readonly [other: string]: unknown
}

/** What one reader has seen so far. */
export interface FollowedEvents {
  readonly events: readonly SeenEvent[]
  /** `type` or `type step@attempt` of every lifecycle event. */
  names(): readonly string[]
  of(type: string, step?: string): readonly SeenEvent[]
  /** Resolves with the n-th event (from 1), seen already or to come, that is of this kind. */
  until(type: string, step?: string, n?: number): Promise<SeenEvent>
  toEnd(): Promise<void>
  /** Joined deltas of an attempt. */
  joined(step: string, attempt: number): string
}

const patienceMs = 20_000

/** Frames as a client sees them. */
export function seenEvents(frames: Awaited<ReturnType<EventReader['read']>>['frames']): readonly SeenEvent[] {
  return frames.map(({ id, data }) => ({ ...(JSON.parse(data) as SeenEvent), id }))
}

/** Follows with a reader that stands at the beginning. */
export function followEvents(reader: EventReader): FollowedEvents {
  const events: SeenEvent[] = []
  const signal = AbortSignal.timeout(patienceMs)
  let done = false

  const more = async (): Promise<void> => {
    const read = await reader.read(1000)
    if (read.gone) throw new Error('the workflow was deleted')
    events.push(...seenEvents(read.frames))
    ;({ done } = read)
    if (read.frames.length > 0 || done) return
    await reader.changed(signal).catch(() => {
      throw new Error(`nothing more came after ${name(events.at(-1))}`)
    })
  }
  const of = (type: string, step?: string) =>
    events.filter((event) => event.type === type && (step === undefined || event.step === step))

  return {
    events,
    of,
    names: () => events.filter((event) => event.seq !== undefined).map(name),
    async until(type, step, n = 1) {
      for (;;) {
        const found = of(type, step)[n - 1]
        if (found !== undefined) return found
        if (done) throw new Error(`it ended without ${type}: ${events.map(name).join(', ')}`)
        await more()
      }
    },
    async toEnd() {
      while (!done) await more()
      reader.close()
    },
    joined: (step, attempt) =>
      of('step.delta', step)
        .filter((event) => event.attempt === attempt)
        .map((event) => event.text)
        .join(''),
  }
}

function name(event: SeenEvent | undefined): string {
  if (event === undefined) return 'nothing'
  return event.step === undefined ? event.type : `${event.type} ${event.step}@${event.attempt}`
}
