import { Client } from 'pg'

interface Column {
  readonly table_name: string
  readonly column_name: string
}

const columns = `
  SELECT table_name, column_name FROM information_schema.columns c
  WHERE table_schema = 'agents' AND table_name <> 'idempotency_keys' AND (table_name = 'workflows' OR EXISTS (
    SELECT FROM information_schema.columns k WHERE k.table_schema = 'agents' AND k.table_name = c.table_name
      AND k.column_name = 'workflow_id'))
  ORDER BY table_name, ordinal_position`

/**
 * Leaves so many ended workflows in a database of this service in which some have run: copies of one of them, with
 * everything that belongs to it. Statistics are brought up to date, as autovacuum does in time.
 */
export async function storeWorkflows(databaseUrl: string, count: number): Promise<void> {
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    await storeWorkflowsBy(async (text, values) => (await client.query<object>(text, values)).rows, count)
  } finally {
    await client.end()
  }
}

/** Runs one statement and gives its rows. */
type RunQuery = (text: string, values?: unknown[]) => Promise<readonly object[]>

/** The same in any database that `query` speaks to. */
export async function storeWorkflowsBy(query: RunQuery, count: number): Promise<void> {
  const found = await query(`SELECT id FROM agents.workflows WHERE status = 'completed' ORDER BY id DESC LIMIT 1`)
  const [row] = found as readonly { readonly id: string }[]
  if (row === undefined) throw new Error('No workflow has run that could be copied.')
  await query('DELETE FROM agents.workflows WHERE id <> $1', [row.id])
  const tables = Map.groupBy((await query(columns)) as readonly Column[], (column) => column.table_name)
  // whoever is referred to comes first
  const names = [...tables.keys()].toSorted((a, b) => Number(b === 'workflows') - Number(a === 'workflows'))
  for (const name of names) await query(copyStatement(name, tables.get(name) ?? []), [row.id, count - 1])
  await query('VACUUM ANALYZE')
}

function copyStatement(table: string, ofTable: readonly Column[]): string {
  const names = ofTable.map((column) => column.column_name)
  const values = names.map((name) => {
    if (name === 'workflow_id' || (table === 'workflows' && name === 'id')) return 'i.id'
    return name === 'id' ? `t.id || '_' || i.n` : `t.${name}`
  })
  // older than all that come, in the order of the numbers
  return `
    INSERT INTO agents.${table} (${names.join(', ')})
    SELECT ${values.join(', ')}
    FROM (SELECT n, 'wf_' || lpad(to_hex(n), 12, '0') || substr(md5(n::text), 1, 20) AS id FROM generate_series(1, $2::integer) n) i
    CROSS JOIN agents.${table} t WHERE t.${table === 'workflows' ? 'id' : 'workflow_id'} = $1`
}
