import type { Database } from '../../src/storage/database.ts'

interface Column {
  readonly table_name: string
  readonly column_name: string
}

const columns = `
  SELECT table_name, column_name FROM information_schema.columns
  WHERE table_schema = 'agents' AND table_name NOT IN ('migrations', 'chunks', 'announcements')
    AND (table_name = 'workflows' OR EXISTS (
      SELECT FROM information_schema.columns c
      WHERE c.table_schema = 'agents' AND c.table_name = columns.table_name AND c.column_name = 'workflow_id'))
  ORDER BY table_name, ordinal_position`

// What empty steps do not leave: a file of each, a text that a person has edited and approved, a key.
const furnish = [
  `INSERT INTO agents.blobs (workflow_id, sha256, content)
   SELECT workflow_id, md5(step_index::text), convert_to(text, 'UTF8') FROM agents.outputs WHERE workflow_id = $1`,
  `INSERT INTO agents.artifacts (workflow_id, path, version, step_index, attempt, media_type, bytes, sha256, created_at)
   SELECT workflow_id, 'src/' || step_index || '.md', 1, step_index, attempt, 'text/markdown', length(text),
     md5(step_index::text), now() FROM agents.outputs WHERE workflow_id = $1`,
  `INSERT INTO agents.edits SELECT * FROM agents.outputs WHERE workflow_id = $1 AND step_index = 0`,
  `INSERT INTO agents.answers (workflow_id, step_index, attempt, verb, digest)
   SELECT workflow_id, step_index, attempt, 'approve', 'd' FROM agents.outputs WHERE workflow_id = $1 AND step_index = 0`,
  `INSERT INTO agents.idempotency_keys (owner, key, digest, workflow_id, seq) VALUES ('bench', 'k', 'd', $1, 1)`,
]

const perStatement = 2_000

/**
 * Leaves so many workflows that ended long ago in a database in which one has run: copies of that one, with everything
 * that belongs to a workflow. The rows of one come one after the other, as those of workflows that ran do.
 */
export async function storeEnded(database: Database, count: number, progress: (done: number) => void): Promise<void> {
  const found = await database.query<{ id: string }>(
    `SELECT id FROM agents.workflows WHERE status = 'completed' ORDER BY id LIMIT 1`,
  )
  const id = found.rows[0]?.id
  if (id === undefined) throw new Error('No workflow has run that could be copied.')
  for (const text of furnish) await database.query(text, [id])
  const tables = Map.groupBy((await database.query<Column>(columns)).rows, (column) => column.table_name)
  // whoever is referred to comes first
  const names = [...tables.keys()].toSorted((a, b) => Number(b === 'workflows') - Number(a === 'workflows'))
  for (let from = 1; from <= count; from += perStatement) {
    const to = Math.min(count, from + perStatement - 1)
    for (const name of names) await database.query(copyStatement(name, tables.get(name) ?? []), [id, from, to])
    progress(to)
  }
  await database.query('VACUUM ANALYZE')
}

function copyStatement(table: string, ofTable: readonly Column[]): string {
  const names = ofTable.map((column) => column.column_name)
  const values = names.map((name) => valueOf(table, name))
  return `
    INSERT INTO agents.${table} (${names.join(', ')})
    SELECT ${values.join(', ')}
    FROM (SELECT n, 'wf_' || lpad(to_hex(n), 12, '0') || substr(md5(n::text), 1, 20) AS id
      FROM generate_series($2::integer, $3::integer) n) i
    CROSS JOIN agents.${table} t WHERE t.${table === 'workflows' ? 'id' : 'workflow_id'} = $1`
}

function valueOf(table: string, name: string): string {
  if (name === 'workflow_id' || (table === 'workflows' && name === 'id')) return 'i.id'
  if (name === 'id') return `t.id || '_' || i.n`
  if (table === 'idempotency_keys' && name === 'key') return `t.key || i.n`
  return name === 'ended_at' ? `t.ended_at - interval '60 days' + i.n * interval '1 millisecond'` : `t.${name}`
}
