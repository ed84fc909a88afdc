import type { Database } from './database.ts'

/** Turns beyond it are equal, and age decides. */
const lastTurn = 9_999_999

/** Being run, as the migrations' indexes have it: claimed, or let in for the activation that there is. */
const isRunning = `w.active AND w.owner <> '' AND w.activation IN (w.claim_activation, w.admitted)`

/** The turn, an SQL expression, of the workflow `row` when it becomes active with the priority of `next`. */
export function nextTurn(row: string, next = row): string {
  return `agents.next_turn(${row}.owner, ${next}.priority)`
}

/** What its job is fetched by, an SQL expression: the priority, −100 to 100, and below it the turn. */
export function rankOf(row: string): string {
  return `${row}.priority * ${lastTurn + 1} - least(${row}.turn, ${lastTurn})`
}

/** pg-boss's job, of which `value` is the JSON, with the rank of the workflow `w`. */
export function withRank(value: string): string {
  return `(SELECT jsonb_set(${value}::jsonb, '{0,priority}', to_jsonb(w.rank))::text FROM w)`
}

/** As the store promises it. One statement, whose lock is held until it is committed. */
export async function takeShare(
  database: Database,
  { id, activation, share }: { readonly id: string; readonly activation: number; readonly share: number },
): Promise<boolean> {
  const { rows } = await database.query<{ taken: boolean }>('SELECT agents.take_share($1, $2, $3) AS taken', [
    id,
    activation,
    share,
  ])
  return rows[0]?.taken ?? false
}

/** As the store promises it. */
export async function runningOf(database: Database): Promise<ReadonlyMap<string, number>> {
  const { rows } = await database.query<{ owner: string; running: number }>(
    `SELECT w.owner, count(*)::integer AS running FROM agents.workflows w WHERE ${isRunning} GROUP BY w.owner`,
  )
  return new Map(rows.map(({ owner, running }) => [owner, running]))
}
