import { describeNotice } from './notice-text.ts'
import { createRunProgress } from './run-progress.ts'
import { createSpeechPane } from './speech-pane.ts'
import type { PaneOptions } from './speech-pane.ts'
import type { StreamEvent } from './stream-event.ts'

/** Shows the events of one workflow as a chat. */
export interface ChatView {
  show(event: StreamEvent): void
  /** A line of the demo itself, such as a lost connection. */
  say(text: string): void
}

/**
 * Every agent's text under its name, as it comes; hand-overs, files, retries and progress as lines between. Text comes
 * out exactly once, also when deltas overlap; an attempt that is void is marked so.
 */
export function createChatView(options: PaneOptions): ChatView {
  const progress = createRunProgress()
  const pane = createSpeechPane(options)
  /** What is open per step: its attempt, and how many characters of it have been seen. */
  const open = new Map<string, { readonly attempt: number | undefined; seen: number }>()

  const begin = (event: StreamEvent, step: string) => {
    open.set(step, { attempt: event.attempt, seen: 0 })
    pane.open(step, event.role ?? progress.roleOf(step))
  }
  const speak = ({ attempt, offset, text = '' }: StreamEvent, step: string) => {
    const position = open.get(step)
    if (position === undefined || position.attempt !== attempt) return
    const start = offset ?? position.seen
    pane.push(step, text.slice(Math.max(0, position.seen - start)))
    position.seen = Math.max(position.seen, start + text.length)
  }
  const showLifecycle = (event: StreamEvent) => {
    const { type, step } = event
    if (type === 'workflow.queued') {
      progress.plan(event.steps ?? [])
      pane.nameAll(progress.roles)
    }
    if (step !== undefined && CLOSING.has(type)) {
      pane.close(step, KEEPING.has(type))
      open.delete(step)
    }
    const lines = describeNotice(event, progress, options.palette)
    if (lines.length > 0) pane.sayLines(lines)
    if (step !== undefined && type === 'step.started') begin(event, step)
  }
  return {
    say: (text) => pane.sayLines([options.palette.warn(text)]),
    show(event) {
      if (event.type === 'step.reasoning') return
      if (event.type === 'step.delta' && event.step !== undefined) speak(event, event.step)
      else showLifecycle(event)
    },
  }
}

const KEEPING: ReadonlySet<string> = new Set(['step.completed', 'step.incomplete', 'step.waiting'])
const CLOSING: ReadonlySet<string> = new Set([...KEEPING, 'step.retrying', 'step.failed', 'step.cancelled'])
