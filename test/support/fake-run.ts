import type { DeliveryResource, TaskResource, WorkflowResource } from '../../src/workflows/resources.ts'
import type { ArtifactFile, EventReader, Frame, WorkflowRef } from '../../src/workflows/service.ts'

/** A workflow or a task of the fake service. A workflow has one step, `work`. */
export interface FakeRun {
  readonly ref: WorkflowRef
  resource: WorkflowResource | TaskResource
  readonly frames: Frame[]
  readonly files: ArtifactFile[]
  readonly deliveries: DeliveryResource[]
  ended: boolean
  gone: boolean
  /** The step waits for a person. */
  gateOpen: boolean
  /** How a person has answered last: verb and body. */
  answered: string | null
  readonly waiting: Set<() => void>
}

/** A run without events. */
export function newFakeRun(ref: WorkflowRef, resource: FakeRun['resource']): FakeRun {
  const nothing = { ended: false, gone: false, gateOpen: false, answered: null }
  return { ref, resource, frames: [], files: [], deliveries: [], ...nothing, waiting: new Set() }
}

function nextWake(run: FakeRun, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const wake = () => {
      signal.removeEventListener('abort', abort)
      resolve()
    }
    const abort = () => {
      run.waiting.delete(wake)
      reject(signal.reason as Error)
    }
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    run.waiting.add(wake)
  })
}

/** A reader that begins after `start` frames; `check` throws what every call is to throw. */
export function readerOf(run: FakeRun, start: number, parts: { check: () => void; close: () => void }): EventReader {
  let at = start
  let seen = run.frames.length
  return {
    get cursor() {
      return `${run.ref.id}.${at}`
    },
    async read(limit) {
      parts.check()
      if (run.gone) return { frames: [], done: false, gone: true }
      const frames = run.frames.slice(at, at + limit)
      at += frames.length
      seen = run.frames.length
      return { frames, done: run.ended && at === run.frames.length, gone: false }
    },
    async changed(signal) {
      if (!run.gone && run.frames.length === seen) await nextWake(run, signal)
    },
    onChange(tell) {
      let listening = true
      const wake = () => {
        if (!listening) return
        // those who wait are told once and forgotten
        setImmediate(() => listening && run.waiting.add(wake))
        tell()
      }
      run.waiting.add(wake)
      if (run.gone || run.frames.length !== seen) tell()
      return () => {
        listening = false
        run.waiting.delete(wake)
      }
    },
    close: parts.close,
  }
}
