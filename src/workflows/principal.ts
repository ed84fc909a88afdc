/** On whose behalf something is asked. */
export interface Principal {
  /** Whose is what it starts: the name of an API key, '' where there are none. */
  readonly name: string
  /** It sees and may change everybody's; otherwise what others have started is not there for it. */
  readonly seesAll: boolean
}

/** Whoever asks where nobody has a key. */
export const everybody: Principal = { name: '', seesAll: true }
