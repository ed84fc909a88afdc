import { fraction, list, seconds, secondsOrZero, text, whole } from './setting.ts'

/** How workflows run, and where they are kept. */
export const orchestrationSettings = {
  max_concurrent_agents: whole({ default: 5, minimum: 1, description: 'Tasks that this process runs at once.' }),
  task_timeout: seconds({
    default: 600,
    description: 'Longest run of one step, with its retries and continuations; waiting for its turn does not count.',
  }),
  task_retry_attempts: whole({
    default: 3,
    minimum: 0,
    description: 'How often a step is started again after task_timeout. 0: never.',
  }),
  max_worker_losses: whole({
    default: 25,
    minimum: 1,
    description: 'How often a step may lose its process before it fails with worker_lost.',
  }),
  max_revisions: whole({
    default: 3,
    minimum: 0,
    maximum: 10,
    description: 'How often a rejected step runs again, unless the request says otherwise.',
  }),
  approval_timeout_seconds: secondsOrZero({
    default: 604_800,
    description: 'How long a step waits for a person before it fails with approval_expired. 0: for ever.',
  }),
  workflow_timeout: secondsOrZero({
    default: 0,
    description: 'Longest time that one workflow spends running. 0: no limit.',
  }),
  max_concurrent_workflows: whole({
    default: 50,
    minimum: 1,
    description: 'Workflows that this process holds at once.',
  }),
  max_concurrent_workflows_per_key: whole({
    default: 0,
    minimum: 0,
    description: 'Workflows of one API key that run at once, on all processes together. 0: no limit.',
  }),
  max_queued_workflows: whole({
    default: 10_000,
    minimum: 1,
    description: 'Workflows that may wait; above it a new one gets 429.',
  }),
  retention_days: fraction({
    default: 30,
    minimum: 0,
    maximum: 36_500,
    unit: 'days',
    description: 'How long an ended workflow is kept, with all that belongs to it. 0: for ever.',
  }),
  output_directory: text({
    default: '',
    format: 'path',
    description:
      'Directory that the files of a finished workflow are also written to. They are yours: they stay when it is deleted. Empty: off.',
  }),
  data_directory: text({
    default: './data',
    format: 'path',
    description: 'Directory of the embedded database.',
  }),
  database_url: text({
    default: '',
    format: 'postgres-url-or-empty',
    secret: true,
    description: 'Postgres to use, as postgres://user:password@host/name. Empty: the embedded database.',
  }),
  database_pool_size: whole({
    default: 10,
    minimum: 2,
    description: 'Connections to Postgres, and one more for notifications.',
  }),
  database_statement_timeout: seconds({ default: 30, description: 'Longest SQL statement.' }),
  database_lock_timeout: seconds({ default: 10, description: 'Longest wait for a lock of the database.' }),
  workflow_types_files: list({
    default: [],
    description: 'YAML files with workflow templates of your own; relative paths start at the working directory.',
  }),
}
