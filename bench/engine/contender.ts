/** Something that runs workflows of six steps durably. */
export interface Contender {
  /** One workflow, from being asked for to its end being seen; rejects unless every step's text is there. */
  run(): Promise<void>
  /** What its database has done so far, where the database is not a server that can be asked. */
  readonly counts?: () => Promise<DatabaseCounts>
  close(): Promise<void>
}

/** Work of a database, counted from some moment on. */
export interface DatabaseCounts {
  /** As clients sent them, BEGIN and COMMIT among them. */
  readonly statements: number
  /** Transactions that wrote: those to which the database gave a number, so that they end with a commit record. */
  readonly commits: number
}

/** What a contender is given. */
export interface ContenderParts {
  /** A Postgres database of its own, empty at first. */
  readonly databaseUrl: string
  /** A directory of its own, empty at first, for databases that are files. */
  readonly directory: string
  readonly redisUrl: string
  /** Text that every step gives. */
  readonly output: string
  /** Most workflows at the same time. */
  readonly inFlight: number
  /** null: the six steps of `feature_development`; else so many, one after the other. Only this service knows others. */
  readonly chain: number | null
  /** Where an HTTP edge is to listen on 127.0.0.1; null: none is wanted. */
  readonly port: number | null
}

/** Makes a contender ready to run. */
export type OpenContender = (parts: ContenderParts) => Promise<Contender>

/** Every contender, in the order of the tables. */
export const contenderNames = [
  'ours',
  'mastra',
  'langgraph',
  'langgraph-async',
  'dbos',
  'bullmq',
  'ours-pglite',
  'ours-prompts',
] as const

export type ContenderName = (typeof contenderNames)[number]

/** Those that need what is installed in `bench/peers`. */
export type PeerName = Exclude<ContenderName, `ours${string}`>

/** Those that are measured when nobody says otherwise. */
export const defaultContenders: readonly ContenderName[] = contenderNames.filter((name) => name !== 'ours-prompts')

/** Where a contender keeps its state. */
export type StateStore = 'postgres' | 'redis' | 'pglite'

/** What they are, for the reader of a table. */
export const contenderFacts: Readonly<Record<ContenderName, { readonly title: string; readonly store: StateStore }>> = {
  ours: { title: 'this service, 21 events a run', store: 'postgres' },
  mastra: { title: 'Mastra, PostgresStore', store: 'postgres' },
  langgraph: { title: 'LangGraph, PostgresSaver, durability sync', store: 'postgres' },
  'langgraph-async': { title: 'LangGraph, PostgresSaver, durability async (its default)', store: 'postgres' },
  dbos: { title: 'DBOS Transact', store: 'postgres' },
  bullmq: { title: 'BullMQ flow, a job per step (a tree, not the DAG)', store: 'redis' },
  'ours-pglite': { title: 'this service on PGlite, 21 events a run', store: 'pglite' },
  'ours-prompts': { title: 'this service, with its prompts built and files looked for', store: 'postgres' },
}

/** Whether it is another project. */
export function isPeer(name: ContenderName): name is PeerName {
  return !name.startsWith('ours')
}
