import { statfs } from 'node:fs/promises'

export interface SilenceOptions {
  /** Free bytes of the disk below. */
  readonly freeBytes: () => Promise<number>
  /** So much silence is suspicious on a disk that is nearly full; default 5 s. */
  readonly suspiciousMs?: number
  /** No statement of ours takes so long; default two minutes. */
  readonly hopelessMs?: number
  readonly now?: () => number
}

/** Notices that a thread which owes answers gives none any more. */
export interface Silence {
  asked(): void
  answered(): void
  /** Why it must be given up; null while there is hope. Ask about once a second. */
  verdict(): Promise<string | null>
}

// Less than this, and Postgres cannot make the next file of its write-ahead log.
const reserveBytes = 20 * 1024 * 1024

/** Free bytes of the disk that holds the directory; plenty when there is none. */
export async function freeBytesOf(directory: string | null): Promise<number> {
  if (directory === null) return Infinity
  const { bavail, bsize } = await statfs(directory)
  return bavail * bsize
}

/**
 * A disk that fills up while the write-ahead log grows makes the embedded database spin for ever inside one statement,
 * without an error. Nothing but its silence shows that.
 */
export function createSilence(options: SilenceOptions): Silence {
  const { freeBytes, suspiciousMs = 5000, hopelessMs = 120_000, now = () => performance.now() } = options
  let owed = 0
  let since = 0
  return {
    asked() {
      if (owed === 0) since = now()
      owed += 1
    },
    answered() {
      owed -= 1
      since = now()
    },
    async verdict() {
      const silentMs = owed === 0 ? 0 : now() - since
      if (silentMs > hopelessMs) return 'The embedded database does not answer any more.'
      if (silentMs < suspiciousMs) return null
      return (await freeBytes()) < reserveBytes ? 'The disk is full.' : null
    },
  }
}
