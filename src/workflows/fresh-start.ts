/** Tries and time as a step has them before its first try. */
export const freshStart = {
  triesUsed: 0,
  timeUsedMs: 0,
  restarts: 0,
  losses: 0,
  notBefore: null,
  carriedText: null,
  carriedContinuations: 0,
} as const
