/** Rows as both backends give them: int8 as number, bytea as Buffer, json and jsonb parsed, timestamptz as Date. */
export interface QueryResult<Row> {
  readonly rows: readonly Row[]
  /** Rows that the statement returned or changed. */
  readonly rowCount: number
}

/** Something that runs statements: the database, or one transaction of it. */
export interface Queryable {
  /**
   * Runs one statement; without `values` it may be several, their rows joined. The row type is the caller's promise.
   * Throws `unavailable` when the database cannot be reached or gives up, else the driver's error with its SQLSTATE in `code`.
   */
  query<Row = Readonly<Record<string, unknown>>>(text: string, values?: readonly unknown[]): Promise<QueryResult<Row>>
}

/** The connections of a pool. */
export interface ConnectionFigures {
  readonly open: number
  /** Of the open ones, those that nobody uses. */
  readonly idle: number
  /** How many wait for one. */
  readonly waiting: number
  /** Most that may be open. */
  readonly limit: number
}

/** One of the two backends: Postgres over a pool, or PGlite in a worker thread. */
export interface Database extends Queryable {
  /**
   * Runs `work` in a transaction and commits it; when it throws, nothing of it remains. Deadlocks and serialization
   * failures run `work` again, three times. After `unavailable` from the commit itself the outcome is unknown.
   */
  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T>
  /** Waits for what runs, then lets go of every connection and file. */
  close(): Promise<void>
  /** The state of its pool; null or absent where there is none. */
  connections?(): ConnectionFigures | null
}

/** What pg-boss calls its `db`. */
export interface BossDatabase {
  executeSql(text: string, values?: unknown[]): Promise<{ rows: Record<string, unknown>[] }>
}

/** Lets pg-boss run its statements where ours run, also inside a transaction of ours. */
export function asBossDatabase(database: Queryable): BossDatabase {
  return {
    async executeSql(text, values) {
      const { rows } = await database.query<Record<string, unknown>>(text, values)
      return { rows: [...rows] }
    },
  }
}
