import type { Chunk, ChunkPage, ChunkStore, NewChunk, TextLength, TextPlace } from '../workflows/chunks.ts'
import type { Database } from './database.ts'
import { withAppErrorsEach } from './workflow-store.ts'

// In one order, so that two replicas that announce the same workflows do not wait for each other in a circle.
const announce = `
  INSERT INTO agents.announcements (workflow_id, announced_at)
  SELECT id, clock_timestamp() FROM unnest($1::text[]) AS id ORDER BY id
  ON CONFLICT (workflow_id) DO UPDATE SET announced_at = excluded.announced_at`

const announced = `
  SELECT workflow_id AS id FROM agents.announcements
  WHERE workflow_id = ANY ($1::text[]) AND announced_at > clock_timestamp() - $2 * interval '1 millisecond'`

// The claim is what fences. An append whose answer was lost is not repeated: the next one finds the text longer.
const append = `
  WITH n AS (
    SELECT n.*, coalesce((
      SELECT c.to_offset FROM agents.chunks c
      WHERE c.workflow_id = n.workflow_id AND c.step_index = n.step_index AND c.attempt = n.attempt
      ORDER BY c.to_offset DESC LIMIT 1), 0) AS stored
    FROM unnest($1::text[], $2::integer[], $3::integer[], $4::integer[], $5::integer[], $6::integer[], $7::integer[], $8::text[])
      AS n(workflow_id, step_index, attempt, activation, retry, from_offset, to_offset, text)
    JOIN agents.workflows w ON w.id = n.workflow_id AND w.active
      AND (w.claim_activation, w.claim_retry) = (n.activation, n.retry)
    JOIN agents.attempts a ON a.workflow_id = n.workflow_id AND a.step_index = n.step_index AND a.attempt = n.attempt
      AND a.status = 'open'
  ), i AS (
    INSERT INTO agents.chunks (workflow_id, step_index, attempt, from_offset, to_offset, text)
    SELECT workflow_id, step_index, attempt, from_offset, to_offset, text FROM n WHERE from_offset = stored
    ON CONFLICT DO NOTHING
  )
  SELECT workflow_id AS "workflowId", step_index AS "stepIndex", attempt,
    CASE WHEN from_offset = stored THEN to_offset ELSE stored END AS length
  FROM n`

/** Of one text in one page: more than a minute of it. */
const mostRows = 1000

const read = `
  SELECT k.workflow_id AS "workflowId", k.step_index AS "stepIndex", k.attempt,
    coalesce(a.status = 'open', false) AS open, c.from_offset AS "from", c.text
  FROM unnest($1::text[], $2::integer[], $3::integer[], $4::integer[])
    WITH ORDINALITY AS k(workflow_id, step_index, attempt, length, n)
  LEFT JOIN agents.attempts a
    ON a.workflow_id = k.workflow_id AND a.step_index = k.step_index AND a.attempt = k.attempt
  LEFT JOIN LATERAL (
    SELECT from_offset, to_offset, text FROM agents.chunks
    WHERE workflow_id = k.workflow_id AND step_index = k.step_index AND attempt = k.attempt AND to_offset > k.length
    ORDER BY to_offset LIMIT ${mostRows}
  ) c ON a.status = 'open'
  ORDER BY k.n, c.to_offset`

const sweepChunks = `
  DELETE FROM agents.chunks c WHERE NOT EXISTS (
    SELECT FROM agents.attempts a
    WHERE a.workflow_id = c.workflow_id AND a.step_index = c.step_index AND a.attempt = c.attempt AND a.status = 'open')`

const sweepAnnouncements = `
  DELETE FROM agents.announcements WHERE announced_at < clock_timestamp() - interval '1 minute'`

type ReadRow = TextPlace & { readonly open: boolean; readonly from: number | null; readonly text: string | null }

function toPage(rows: readonly ReadRow[]): ChunkPage {
  const chunks: Chunk[] = []
  const closed: TextPlace[] = []
  for (const { workflowId, stepIndex, attempt, open, from, text } of rows) {
    if (!open) closed.push({ workflowId, stepIndex, attempt })
    else if (from !== null && text !== null) chunks.push({ workflowId, stepIndex, attempt, from, text })
  }
  return { chunks, closed, more: chunks.length >= mostRows }
}

function column<T, K extends keyof T>(rows: readonly T[], name: K): readonly T[K][] {
  return rows.map((row) => row[name])
}

function placesOf(texts: readonly TextPlace[]): readonly unknown[] {
  return [column(texts, 'workflowId'), column(texts, 'stepIndex'), column(texts, 'attempt')]
}

function valuesOf(chunks: readonly NewChunk[]): readonly unknown[] {
  const claims = column(chunks, 'claim')
  const ends = chunks.map(({ from, text }) => from + text.length)
  return [
    ...placesOf(chunks),
    column(claims, 'activation'),
    column(claims, 'retry'),
    column(chunks, 'from'),
    ends,
    column(chunks, 'text'),
  ]
}

/** Chunks in tables of the database; each call is one statement, but for the sweep. */
export function createChunkStore(database: Database): ChunkStore {
  return withAppErrorsEach<ChunkStore>({
    announce: async (workflowIds) => void (await database.query(announce, [workflowIds])),
    async announced(workflowIds, withinMs) {
      const { rows } = await database.query<{ id: string }>(announced, [workflowIds, withinMs])
      return column(rows, 'id')
    },
    append: async (chunks) => (await database.query<TextLength>(append, valuesOf(chunks))).rows,
    async read(texts) {
      const { rows } = await database.query<ReadRow>(read, [...placesOf(texts), column(texts, 'length')])
      return toPage(rows)
    },
    async sweep() {
      await database.query(sweepChunks)
      await database.query(sweepAnnouncements)
    },
  })
}
