import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import type { Database } from '../../src/storage/database.ts'
import { migrate, readMigrations } from '../../src/storage/migrate.ts'
import { createWorkflowStore } from '../../src/storage/workflow-store.ts'
import type { WorkflowStore } from '../../src/workflows/store.ts'
import { moment, state, step } from './fixtures.ts'

const taskId = 'task_1'

const asFirstVersion = `
  INSERT INTO agents.workflows (id, kind, type, status, seq, active, activation, priority, options, correlation_id,
    created_at, updated_at, running_ms)
  VALUES ('wf_1', 'workflow', 'custom', 'completed', 1, false, 1, 0, '{}', 'request-1',
    to_timestamp(${moment / 1000}), to_timestamp(${moment / 1000}), 0);
  INSERT INTO agents.workflow_inputs VALUES ('wf_1', 'Build it.', '{}', '[]', '{}', '{}');
  INSERT INTO agents.steps (workflow_id, step_index, step, role, definition, task_id, status, attempt, kept_attempt,
    running_ms, truncated_input, artifacts, rejected_artifacts, tries_used, time_used_ms, restarts, losses,
    carried_continuations)
  VALUES ('wf_1', 0, 'step-0', 'developer', '${JSON.stringify(step(0).definition)}', '${taskId}', 'completed', 1, 1,
    0, false, '["a"]', '[]', 0, 0, 0, 0, 0);
  INSERT INTO agents.outputs VALUES ('wf_1', 0, 1, 'text');
  INSERT INTO agents.blobs VALUES ('wf_1', 'hash', 'content');
  INSERT INTO agents.artifacts (workflow_id, path, version, step_index, attempt, media_type, bytes, sha256, created_at)
  VALUES ('wf_1', 'a', 1, 0, 1, 'text/plain', 7, 'hash', to_timestamp(${moment / 1000}));`

const noJobs = { send: () => Promise.resolve(), complete: () => Promise.resolve() }

/** What a database of an older version becomes. */
export function describeMigrations(name: string, open: () => Promise<Database>): void {
  describe(`a database of the first version on ${name}`, () => {
    let database: Database
    let store: WorkflowStore

    beforeAll(async () => {
      database = await open()
      store = createWorkflowStore(database, { jobs: noJobs, queueName: 'none' })
      const migrations = await readMigrations()
      await database.query('DROP SCHEMA IF EXISTS agents CASCADE')
      await migrate(database, migrations.slice(0, 1))
      await database.query(asFirstVersion)
      await migrate(database, migrations)
      await migrate(database, migrations)
    })

    afterAll(async () => {
      await database?.close()
    })

    it('has its workflows as they were', async () => {
      const definition = { ...step(0).definition }
      const result = { status: 'completed', attempt: 1, keptAttempt: 1, artifacts: ['a'] } as const
      const steps = [step(0, { definition, taskId, ...result })]
      const ended = { id: 'wf_1', status: 'completed', active: false, jobId: null, steps } as const
      expect(await store.load('wf_1')).toEqual(state(ended))
      expect((await store.record('wf_1'))?.outputs).toEqual(new Map([[0, 'text']]))
      expect((await store.artifact('wf_1', 'a', null))?.content.toString()).toBe('content')
      expect(await store.results('wf_1', [{ stepIndex: 0, attempt: 1 }])).toEqual([
        { stepIndex: 0, output: 'text', files: [{ path: 'a', content: 'content' }] },
      ])
      expect(await store.edit('wf_1', 0, 1)).toBeNull()
      expect(await store.openGates({ limit: 10, after: null, owner: null })).toEqual([])
    })
  })
}
