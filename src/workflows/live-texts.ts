/** The text of one open attempt, on the replica that makes it. */
export interface LiveText {
  /** Length in UTF-16 code units. */
  readonly length: number
  append(text: string): void
  /** Everything from `offset` on. */
  from(offset: number): string
}

/** What an open attempt has said so far. Reasoning is for those who listen now: it is never stored. */
export interface LiveAttempt {
  readonly output: LiveText
  readonly reasoning: LiveText
}

/** Attempts that are being made on this replica, by workflow, step and attempt. */
export interface LiveTexts {
  open(workflowId: string, stepIndex: number, attempt: number): LiveAttempt
  find(workflowId: string, stepIndex: number, attempt: number): LiveAttempt | null
  close(workflowId: string, stepIndex: number): void
}

/** Keeps pieces instead of one string: slicing a string that grows by each token would copy all of it each time. */
export function createLiveText(): LiveText {
  const pieces: string[] = []
  let length = 0
  return {
    get length() {
      return length
    },
    append(text) {
      pieces.push(text)
      length += text.length
    },
    from(offset) {
      const last = pieces.at(-1) ?? ''
      // who keeps up wants the last piece, and that is one string already
      if (offset === length - last.length) return last
      if (offset >= length) return ''
      let start = length
      let first = pieces.length
      while (first > 0 && start > offset) {
        first -= 1
        start -= pieces[first]?.length ?? 0
      }
      return pieces
        .slice(first)
        .join('')
        .slice(Math.max(0, offset - start))
    },
  }
}

/** Creates an empty registry. */
export function createLiveTexts(): LiveTexts {
  const byWorkflow = new Map<string, Map<number, LiveAttempt & { readonly attempt: number }>>()
  return {
    open(workflowId, stepIndex, attempt) {
      const opened = { attempt, output: createLiveText(), reasoning: createLiveText() }
      const attempts = byWorkflow.get(workflowId) ?? new Map<number, typeof opened>()
      byWorkflow.set(workflowId, attempts.set(stepIndex, opened))
      return opened
    },
    find(workflowId, stepIndex, attempt) {
      const found = byWorkflow.get(workflowId)?.get(stepIndex)
      return found?.attempt === attempt ? found : null
    },
    close(workflowId, stepIndex) {
      const attempts = byWorkflow.get(workflowId)
      attempts?.delete(stepIndex)
      if (attempts?.size === 0) byWorkflow.delete(workflowId)
    },
  }
}
