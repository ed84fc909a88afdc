import type { Logger } from './log.ts'

/** The same observer; an error of its own goes to the log instead of to those whom it observes. */
export function neverThrowing<T>(logger: Logger, observe: (event: T) => void): (event: T) => void {
  return (event) => {
    try {
      observe(event)
    } catch (error) {
      logger.error('An observer failed; the work that it observes goes on.', { error })
    }
  }
}
