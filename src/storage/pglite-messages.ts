/** What the worker is opened with. */
export interface PGliteWorkerData {
  /** Directory of the database's files; null: in memory. */
  readonly directory: string | null
  readonly transactionLimitMs: number
  /** How often the worker looks whether it should checkpoint and vacuum. */
  readonly maintenanceIntervalMs: number
}

/** A statement; one with a name is kept under it. */
export interface PGliteStatement {
  readonly text: string
  readonly values?: readonly unknown[] | undefined
  readonly name?: string | undefined
}

/** One message to the worker. `transaction` numbers a transaction; its first statement begins it. */
export type PGliteRequest =
  | {
      readonly kind: 'query'
      readonly id: number
      readonly statement: PGliteStatement
      readonly transaction: number | null
      readonly begins: boolean
    }
  | { readonly kind: 'end'; readonly id: number; readonly transaction: number; readonly commit: boolean }
  | { readonly kind: 'close'; readonly id: number }

/** A driver's error as it crosses the thread boundary. */
export interface PGliteFailure {
  readonly message: string
  readonly code: string
  readonly detail: string | undefined
  readonly schema: string | undefined
  readonly table: string | undefined
  readonly constraint: string | undefined
}

/** Columns that arrive as text or bytes and are turned into objects on this side of the boundary. */
export interface PGliteColumns {
  readonly json: readonly string[]
  readonly bytes: readonly string[]
}

/** What the worker says: that it is open, an answer, or that it must not go on. */
export type PGliteReply =
  | { readonly kind: 'open' }
  | {
      readonly kind: 'rows'
      readonly id: number
      readonly rows: readonly Record<string, unknown>[]
      readonly rowCount: number
      readonly columns: PGliteColumns
    }
  | { readonly kind: 'failed'; readonly id: number; readonly failure: PGliteFailure }
  | { readonly kind: 'fatal'; readonly message: string }
