import { Client } from 'pg'
import { formatTable } from '../table.ts'

interface StatementCost {
  readonly query: string
  readonly calls: number
  readonly exec_ms: number
  readonly plan_ms: number
  readonly runs: number
}

const shown = 100
const widest = 90

const costs = `
  SELECT regexp_replace(query, '\\s+', ' ', 'g') AS query, calls::float8, total_exec_time AS exec_ms,
    total_plan_time AS plan_ms, (SELECT count(*) FROM agents.workflows WHERE status = 'completed')::float8 AS runs
  FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
  WHERE d.datname = current_database() ORDER BY total_exec_time + total_plan_time DESC LIMIT ${shown}`

const heading = ['statement', 'calls a run', 'ms planning', 'ms executing', 'ms a run']

/** A table of what this service's statements cost since its database was made, by their time in the server. */
export async function statementCosts(databaseUrl: string): Promise<string> {
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    const { rows } = await client.query<StatementCost>(costs)
    return formatTable(heading, rows.filter(isOfRuns).map(rowOf))
  } finally {
    await client.end()
  }
}

/** What is done once, or every second, is no part of a run. */
function isOfRuns({ calls, runs }: StatementCost): boolean {
  return calls > runs / 4
}

function rowOf({ query, calls, exec_ms: exec, plan_ms: plan, runs }: StatementCost): readonly string[] {
  const each = [calls / runs, plan / calls, exec / calls, (plan + exec) / runs]
  return [query.slice(0, widest), ...each.map((value) => value.toFixed(3))]
}
