import type { StepResult, StoredArtifact, WorkflowStore } from '../workflows/store.ts'
import { columnNames, fromRow } from './columns.ts'
import type { JsonRow } from './columns.ts'
import type { Database } from './database.ts'
import { artifactColumns } from './tables.ts'

type ArtifactReads = Pick<WorkflowStore, 'artifacts' | 'artifact' | 'artifactVersions' | 'results'>

const columns = columnNames(artifactColumns)
  .map((name) => `a.${name}`)
  .join(', ')

// The newest version per path that belongs to what is now a step's result.
const currentArtifacts = `
  SELECT DISTINCT ON (a.path) ${columns}, a.workflow_id
  FROM agents.artifacts a JOIN agents.steps s ON s.workflow_id = a.workflow_id AND s.step_index = a.step_index
  WHERE a.workflow_id = $1 AND s.kept_attempt = a.attempt AND s.edited = a.edited AND s.status IN ('completed', 'incomplete', 'waiting')
  ORDER BY a.path, a.version DESC`

// Reading one must not sort all of them.
const currentOfPath = currentArtifacts.replace('WHERE', 'WHERE a.path = $2 AND')

const versionOfPath = `SELECT ${columns}, a.workflow_id FROM agents.artifacts a
  WHERE a.workflow_id = $1 AND a.path = $2 AND a.version = $3`

interface ArtifactRow {
  readonly artifact: JsonRow
  readonly content: Buffer
}

const results = `
  SELECT r."stepIndex", coalesce(d.text, o.text) AS output, coalesce((
    SELECT json_agg(json_build_object('path', a.path, 'content', convert_from(b.content, 'UTF8')) ORDER BY a.path)
    FROM agents.artifacts a JOIN agents.blobs b ON b.workflow_id = a.workflow_id AND b.sha256 = a.sha256
    WHERE a.workflow_id = $1 AND a.step_index = o.step_index AND a.attempt = o.attempt AND a.edited = (d.text IS NOT NULL)), '[]') AS files
  FROM ROWS FROM (json_to_recordset($2::json) AS ("stepIndex" integer, attempt integer)) WITH ORDINALITY AS r("stepIndex", attempt, n)
  JOIN agents.outputs o ON o.workflow_id = $1 AND o.step_index = r."stepIndex" AND o.attempt = r.attempt
  LEFT JOIN agents.edits d ON d.workflow_id = o.workflow_id AND d.step_index = o.step_index AND d.attempt = o.attempt
  ORDER BY r.n`

/** What reads the texts and files that steps have left. */
export function createArtifactReads(database: Database): ArtifactReads {
  return {
    async artifacts(id) {
      const text = `SELECT row_to_json(c) AS artifact FROM (${currentArtifacts}) c ORDER BY c.path`
      const { rows } = await database.query<ArtifactRow>(text, [id])
      return rows.map((row) => fromRow<StoredArtifact>(artifactColumns, row.artifact))
    },
    async artifact(id, path, version) {
      const from = version === null ? currentOfPath : versionOfPath
      const { rows } = await database.query<ArtifactRow>(
        `SELECT row_to_json(c) AS artifact, b.content FROM (${from}) c
         JOIN agents.blobs b ON b.workflow_id = c.workflow_id AND b.sha256 = c.sha256`,
        version === null ? [id, path] : [id, path, version],
      )
      const row = rows[0]
      return row ? { ...fromRow<StoredArtifact>(artifactColumns, row.artifact), content: row.content } : null
    },
    async artifactVersions(id, paths) {
      if (paths.length === 0) return new Map()
      const { rows } = await database.query<{ path: string; version: number }>(
        `SELECT path, max(version) AS version FROM agents.artifacts
         WHERE workflow_id = $1 AND path = ANY ($2::text[]) GROUP BY path`,
        [id, paths],
      )
      return new Map(rows.map((row) => [row.path, row.version]))
    },
    async results(id, of) {
      if (of.length === 0) return []
      return (await database.query<StepResult>(results, [id, JSON.stringify(of)])).rows
    },
  }
}
