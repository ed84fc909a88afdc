import type { Results } from '@electric-sql/pglite'

import type { PGliteReply, PGliteRequest } from './pglite-messages.ts'
import { columnsOf, describeFailure } from './pglite-session.ts'
import type { PGliteSession } from './pglite-session.ts'
import type { Turns } from './turns.ts'

const givenUp = '25P03'

export interface PGliteServerParts {
  readonly session: PGliteSession
  readonly turns: Turns
  post(reply: PGliteReply): void
  /** After the database has been closed. */
  onClosed(): void
}

/** Answers requests: single statements and whole transactions take turns. */
export function createPGliteServer(parts: PGliteServerParts): (request: PGliteRequest) => void {
  const { session, turns } = parts

  async function answer(id: number, work: () => Promise<readonly Results[]>): Promise<void> {
    try {
      const results = await work()
      const rows = results.flatMap((result) => result.rows)
      const rowCount = results.reduce((sum, result) => sum + (result.rowCount ?? 0), 0)
      parts.post({ kind: 'rows', id, rows, rowCount, columns: columnsOf(results) })
    } catch (error) {
      parts.post({ kind: 'failed', id, failure: describeFailure(error) })
    }
  }

  function refuse(id: number): void {
    const error = new Error('The transaction took too long and was rolled back.')
    parts.post({ kind: 'failed', id, failure: { ...describeFailure(error), code: givenUp } })
  }

  function query({ id, statement, transaction, begins }: PGliteRequest & { kind: 'query' }): void {
    if (transaction === null) {
      turns.enter(null, () => answer(id, () => session.runAlone(statement)))
    } else if (begins) {
      turns.enter(transaction, () =>
        answer(id, async () => {
          await session.run({ text: 'BEGIN' })
          return session.run(statement)
        }),
      )
    } else if (!turns.within(transaction, () => answer(id, () => session.run(statement)))) refuse(id)
  }

  function end({ id, transaction, commit }: PGliteRequest & { kind: 'end' }): void {
    if (!turns.leave(transaction, () => answer(id, () => session.end(commit)))) refuse(id)
  }

  async function close(id: number): Promise<void> {
    await answer(id, async () => {
      await session.close()
      return []
    })
    turns.stop()
    parts.onClosed()
  }

  return (request) => {
    if (request.kind === 'query') query(request)
    else if (request.kind === 'end') end(request)
    else turns.enter(null, () => close(request.id))
  }
}
