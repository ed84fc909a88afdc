import { AppError } from '../errors.ts'
import type { EventSink, EventSource } from './event-sink.ts'

/**
 * Events for one reader, who waits for each before asking for the next (anything else fails with `internal`); at one
 * promise an event and without another asynchronous layer. `open` runs when the first is asked for, or never; what it
 * throws the reader gets.
 */
export function createEventStream<Event>(
  open: (sink: EventSink<Event>) => EventSource,
): AsyncIterableIterator<Event, undefined, undefined> {
  return new EventStream(open)
}

type Result<Event> = IteratorResult<Event, undefined>

const noMore = { done: true, value: undefined } as const

// one object instead of closures: every object that a token touches is a cache miss where many streams are open
class EventStream<Event> implements AsyncIterableIterator<Event, undefined, undefined>, EventSink<Event> {
  readonly #open: (sink: EventSink<Event>) => EventSource
  #source: EventSource | null = null
  #kept: Event[] = []
  #taken = 0
  #answer: ((result: Result<Event> | Promise<Result<Event>>) => void) | null = null
  #onTaken: (() => void) | null = null
  #ending: (() => void) | null = null
  #failure: { readonly reason: unknown } | null = null
  #over = false

  constructor(open: (sink: EventSink<Event>) => EventSource) {
    this.#open = open
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<Result<Event>> {
    if (this.#answer !== null) return Promise.reject(new AppError('internal', 'An event stream has two readers.'))
    if (this.#source === null && !this.#over) this.#begin()
    if (this.#ending !== null && this.kept === 0) this.#conclude(this.#ending)
    if (this.kept > 0) return this.#take()
    if (this.#over) return this.#last()
    this.#source?.wanted()
    this.#onTaken?.()
    this.#onTaken = null
    return new Promise((resolve) => {
      this.#answer = resolve
    })
  }

  return(): Promise<Result<Event>> {
    const leaves = !this.#over
    this.#over = true
    this.#ending = null
    this.#failure = null
    this.#forget()
    if (leaves) this.#source?.left()
    this.#answerReader()
    return Promise.resolve(noMore)
  }

  push(event: Event): void {
    const answer = this.#answer
    if (answer === null) {
      this.#kept.push(event)
      return
    }
    this.#answer = null
    answer({ done: false, value: event })
  }

  end(conclude: () => void): void {
    if (this.#over || this.#ending !== null) return
    this.#ending = conclude
    this.#answerReader()
  }

  fail(reason: unknown): void {
    if (this.#over) return
    this.#forget()
    this.#ending = () => {
      throw reason
    }
    this.#answerReader()
  }

  whenTaken(run: () => void): void {
    this.#onTaken = run
  }

  get kept(): number {
    return this.#kept.length - this.#taken
  }

  get isAwaited(): boolean {
    return this.#answer !== null
  }

  #begin(): void {
    try {
      this.#source = this.#open(this)
    } catch (error) {
      this.#over = true
      this.#failure = { reason: error }
    }
  }

  #conclude(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.#failure = { reason: error }
    }
    this.#ending = null
    this.#over = true
  }

  #take(): Promise<Result<Event>> {
    const value = this.#kept[this.#taken] as Event
    this.#taken += 1
    if (this.kept === 0) this.#forget()
    return Promise.resolve({ done: false, value })
  }

  #forget(): void {
    this.#kept = []
    this.#taken = 0
  }

  #answerReader(): void {
    const answer = this.#answer
    if (answer === null) return
    this.#answer = null
    answer(this.next())
  }

  #last(): Promise<Result<Event>> {
    if (this.#failure === null) return Promise.resolve(noMore)
    const { reason } = this.#failure
    this.#failure = null
    return Promise.reject(reason)
  }
}
