/** One event as a client gets it. */
export interface WireEvent {
  readonly type: string
  readonly workflow_id: string
  readonly seq?: number
  readonly step?: string
  readonly attempt?: number
  readonly offset?: number
  readonly text?: string
  readonly output?: string
  readonly error?: { readonly code: string }
}

/** What one reader has seen of one workflow over all its connections, held to the promises of the stream. */
export interface EventJournal {
  /** Takes the next event; `id` is the cursor that came with it. */
  take(event: WireEvent, id: string | null): void
  /** The last one that came; null before the first. */
  cursor(): string | null
  /** Lifecycle events, in order. */
  lifecycle(): readonly WireEvent[]
  /** The deltas of one attempt, joined. */
  text(step: string, attempt: number): string
  /** Deltas so far. */
  deltas(): number
  /** Joined text of the kept attempt of each completed step. */
  kept(): Readonly<Record<string, string>>
  /** What broke a promise. */
  faults(): readonly string[]
  /** Resolves as soon as the condition holds. */
  until(condition: (journal: EventJournal) => boolean): Promise<void>
}

const closing = new Set(['step.completed', 'step.incomplete', 'step.retrying', 'step.failed', 'step.cancelled'])
const endings = new Set(['workflow.completed', 'workflow.failed', 'workflow.cancelled'])

interface Seen {
  readonly lifecycle: WireEvent[]
  /** Joined text of each attempt, by `step@attempt`. */
  readonly texts: Map<string, string>
  readonly open: Set<string>
  readonly kept: Record<string, string>
  readonly faults: string[]
}

/** An empty journal. */
export function createEventJournal(): EventJournal {
  const seen: Seen = { lifecycle: [], texts: new Map(), open: new Set(), kept: {}, faults: [] }
  const waiting = new Set<() => void>()
  let cursor: string | null = null
  let deltas = 0

  const journal: EventJournal = {
    take(event, id) {
      cursor = id ?? cursor
      if (event.type === 'step.delta') {
        deltas += 1
        takeDelta(seen, event)
      } else takeLifecycle(seen, event)
      for (const look of waiting) look()
    },
    cursor: () => cursor,
    lifecycle: () => seen.lifecycle,
    text: (step, attempt) => seen.texts.get(`${step}@${attempt}`) ?? '',
    deltas: () => deltas,
    kept: () => seen.kept,
    faults: () => seen.faults,
    until: (condition) =>
      new Promise((resolve) => {
        const look = () => {
          if (!condition(journal)) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      }),
  }
  return journal
}

function takeDelta({ texts, open, faults }: Seen, { step, attempt, offset, text = '' }: WireEvent): void {
  const key = `${step}@${attempt}`
  const before = texts.get(key) ?? ''
  if (!open.has(key)) faults.push(`a delta of ${key}, which is not open`)
  if (offset !== before.length) faults.push(`a delta of ${key} at ${offset} instead of ${before.length}`)
  if (text === '' || !text.isWellFormed()) faults.push(`a delta of ${key} that is empty or splits a character`)
  texts.set(key, before + text)
}

function takeLifecycle(seen: Seen, event: WireEvent): void {
  const { lifecycle, faults } = seen
  const last = lifecycle.at(-1)
  const expected = (last?.seq ?? 0) + 1
  if (event.seq !== expected) faults.push(`${event.type} is ${event.seq} instead of ${expected}`)
  if (last !== undefined && endings.has(last.type)) faults.push(`${event.type} after the end`)
  lifecycle.push(event)
  turnAttempt(seen, event)
  if (event.type === 'step.completed') keep(seen, event)
}

function turnAttempt({ texts, open, faults }: Seen, { type, step, attempt }: WireEvent): void {
  const key = `${step}@${attempt}`
  if (closing.has(type)) open.delete(key)
  if (type !== 'step.started') return
  if (texts.has(key)) faults.push(`${key} was opened twice`)
  texts.set(key, '')
  open.add(key)
}

function keep({ texts, kept, faults }: Seen, { step = '', attempt, output }: WireEvent): void {
  const text = texts.get(`${step}@${attempt}`) ?? ''
  if (kept[step] !== undefined) faults.push(`${step} was completed twice`)
  if (output !== text) faults.push(`the output of ${step}@${attempt} is not what its deltas were`)
  kept[step] = text
}
