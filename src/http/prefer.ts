import type { EventReader } from '../workflows/service.ts'

const restTypes: ReadonlySet<string> = new Set([
  'workflow.completed',
  'workflow.failed',
  'workflow.cancelled',
  'workflow.waiting',
])
const framesPerRead = 100

/** Seconds of `Prefer: wait=N` (RFC 7240), 1–300; null when there is no such preference, or not a usable one. */
export function preferredWait(header: string | string[] | undefined): number | null {
  const preferences = [header ?? []].flat().join(',').split(',')
  const wait = preferences.map((text) => /^\s*wait\s*=\s*"?(\d{1,3})"?\s*(;|$)/i.exec(text)?.[1]).find(Boolean)
  const seconds = Number(wait ?? 0)
  return seconds >= 1 && seconds <= 300 ? seconds : null
}

/** A resume that finds only open gates leads straight to a person, without an event that says so. */
function resumedAtRest(data: string): boolean {
  return (JSON.parse(data) as { readonly status?: unknown }).status === 'waiting'
}

async function hasRested(reader: EventReader): Promise<boolean> {
  let rested = false
  for (;;) {
    const { frames, done, gone } = await reader.read(framesPerRead)
    for (const { type, data } of frames) {
      if (type === 'workflow.resumed') rested = resumedAtRest(data)
      else rested ||= restTypes.has(type)
    }
    if (done || gone) return true
    if (frames.length === 0) return rested
  }
}

/** Reads on until the workflow has ended or waits for a person: true; false when the signal is aborted before. */
export async function waitForRest(reader: EventReader, signal: AbortSignal): Promise<boolean> {
  while (!(await hasRested(reader))) {
    if (signal.aborted) return false
    await reader.changed(signal).catch((error: unknown) => {
      if (!signal.aborted) throw error
    })
  }
  return true
}
