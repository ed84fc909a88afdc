import type { NotifyHints } from './notify-hints.ts'

/** Hints of the only process on its database: there is nobody to tell, and nothing to miss. */
export function createNobodysHints(): NotifyHints {
  return {
    tell: () => undefined,
    tellText: () => undefined,
    listen: () => () => undefined,
    listening: () => true,
    start: async () => undefined,
    close: async () => undefined,
  }
}
