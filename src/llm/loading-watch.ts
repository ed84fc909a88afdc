import type { Clock } from './clock.ts'

/** Waits for one target whose server says that it is still loading the model. */
export interface LoadingWatch {
  /**
   * A call was told so. Milliseconds for which the target is to be left alone, unless `loaded` is called before; null
   * when it has been loading for so long that this is a failure like others.
   */
  heard(): number | null
  /** A call was told anything else. */
  answered(): void
  close(): void
}

const longestMs = 120_000
const firstLookMs = 1_000
const lastLookMs = 10_000

export interface LoadingWatchParts {
  readonly clock: Clock
  /** Asks the server, without a call to the model. Never rejects. */
  readonly isLoading: () => Promise<boolean>
  readonly loaded: () => void
}

/** The server has been loading since `since`, as far as anybody was told. */
interface Loading {
  readonly since: number
  /** When it last said so. */
  saidAt: number
  /** It said that it was done, and no call has been told otherwise since. */
  saysDone: boolean
  /** How often a call was told "loading" although it said that it was done. */
  denials: number
  /** A look is planned, or under way. */
  isWatched: boolean
}

/** Looks once a second; later each time that a call is told "loading" although the server said that it was done. */
export function createLoadingWatch({ clock, isLoading, loaded }: LoadingWatchParts): LoadingWatch {
  let current: Loading | null = null
  let cancel: (() => void) | null = null

  const leftMs = ({ since }: Loading): number => since + longestMs - clock.now()
  const look = async (loading: Loading): Promise<void> => {
    const stillLoading = await isLoading()
    // a call may have been answered, or the watch closed, while the server was asked
    if (current !== loading) return
    loading.isWatched = false
    if (stillLoading) {
      loading.saidAt = clock.now()
      lookIn(firstLookMs, loading)
    } else {
      loading.saysDone = true
      loaded()
    }
  }
  const lookIn = (waitMs: number, loading: Loading): void => {
    if (leftMs(loading) <= 0) return
    loading.isWatched = true
    cancel = clock.after(Math.min(waitMs, leftMs(loading)), () => void look(loading))
  }
  const stop = (): void => {
    cancel?.()
    cancel = null
    current = null
  }
  // of what was heard long ago, nobody knows whether it is the same
  const isOver = ({ saidAt }: Loading): boolean => clock.now() - saidAt > longestMs
  const begin = (): Loading => {
    stop()
    return { since: clock.now(), saidAt: 0, saysDone: false, denials: 0, isWatched: false }
  }

  return {
    heard: () => {
      const loading = current === null || isOver(current) ? begin() : current
      current = loading
      if (loading.saysDone) loading.denials += 1
      Object.assign(loading, { saidAt: clock.now(), saysDone: false })
      if (!loading.isWatched) lookIn(Math.min(lastLookMs, firstLookMs * 2 ** loading.denials), loading)
      return leftMs(loading) > 0 ? leftMs(loading) : null
    },
    answered: stop,
    close: stop,
  }
}
