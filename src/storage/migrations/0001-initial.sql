CREATE TABLE agents.workflows (
  id text COLLATE "C" PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('workflow', 'task')),
  type text NOT NULL,
  role text,
  status text NOT NULL CHECK (status IN ('queued', 'running', 'waiting', 'completed', 'failed', 'cancelled')),
  reason text,
  error json,
  seq integer NOT NULL,
  active boolean NOT NULL,
  activation integer NOT NULL,
  job_id uuid,
  claim_activation integer,
  claim_retry integer,
  priority integer NOT NULL,
  options json NOT NULL,
  correlation_id text NOT NULL,
  traceparent text,
  created_at timestamptz NOT NULL,
  started_at timestamptz,
  ended_at timestamptz,
  updated_at timestamptz NOT NULL,
  running_ms double precision NOT NULL,
  running_since timestamptz,
  CHECK ((claim_activation IS NULL) = (claim_retry IS NULL))
) WITH (fillfactor = 70);

CREATE INDEX workflows_newest ON agents.workflows (kind, id DESC);
CREATE INDEX workflows_of_role ON agents.workflows (role, id DESC) WHERE role IS NOT NULL;
CREATE INDEX workflows_status ON agents.workflows (kind, status, id DESC);
CREATE INDEX workflows_active ON agents.workflows (id) WHERE active;

CREATE TABLE agents.workflow_inputs (
  workflow_id text COLLATE "C" PRIMARY KEY REFERENCES agents.workflows ON DELETE CASCADE,
  requirement text,
  context json NOT NULL,
  files json NOT NULL,
  metadata jsonb NOT NULL,
  options json NOT NULL
);

CREATE INDEX workflow_inputs_metadata ON agents.workflow_inputs USING gin (metadata jsonb_path_ops);

CREATE TABLE agents.steps (
  workflow_id text COLLATE "C" NOT NULL REFERENCES agents.workflows ON DELETE CASCADE,
  step_index integer NOT NULL,
  step text NOT NULL,
  role text NOT NULL,
  definition json NOT NULL,
  task_id text NOT NULL,
  status text NOT NULL CHECK (
    status IN ('pending', 'queued', 'running', 'waiting', 'completed', 'incomplete', 'failed', 'skipped', 'cancelled')
  ),
  attempt integer NOT NULL,
  kept_attempt integer,
  started_at timestamptz,
  ended_at timestamptz,
  ended_seq integer,
  running_ms double precision NOT NULL,
  running_since timestamptz,
  endpoint text,
  model text,
  finish_reason text,
  truncated_input boolean NOT NULL,
  artifacts json NOT NULL,
  rejected_artifacts json NOT NULL,
  reason text,
  dependency text,
  error json,
  tries_used integer NOT NULL,
  time_used_ms double precision NOT NULL,
  restarts integer NOT NULL,
  losses integer NOT NULL,
  not_before timestamptz,
  carried_text text,
  carried_continuations integer NOT NULL,
  PRIMARY KEY (workflow_id, step_index)
) WITH (fillfactor = 70);

CREATE INDEX steps_completed ON agents.steps (ended_at) WHERE status = 'completed';

CREATE TABLE agents.attempts (
  workflow_id text COLLATE "C" NOT NULL REFERENCES agents.workflows ON DELETE CASCADE,
  step_index integer NOT NULL,
  attempt integer NOT NULL,
  status text NOT NULL CHECK (status IN ('open', 'kept', 'void')),
  started_at timestamptz NOT NULL,
  ended_at timestamptz,
  endpoint text,
  model text,
  finish_reason text,
  error json,
  PRIMARY KEY (workflow_id, step_index, attempt)
);

CREATE TABLE agents.outputs (
  workflow_id text COLLATE "C" NOT NULL REFERENCES agents.workflows ON DELETE CASCADE,
  step_index integer NOT NULL,
  attempt integer NOT NULL,
  text text NOT NULL,
  PRIMARY KEY (workflow_id, step_index, attempt)
);

CREATE TABLE agents.events (
  workflow_id text COLLATE "C" NOT NULL REFERENCES agents.workflows ON DELETE CASCADE,
  seq integer NOT NULL,
  type text NOT NULL,
  at timestamptz NOT NULL,
  correlation_id text NOT NULL,
  step text,
  attempt integer,
  data json NOT NULL,
  PRIMARY KEY (workflow_id, seq)
);

CREATE TABLE agents.blobs (
  workflow_id text COLLATE "C" NOT NULL REFERENCES agents.workflows ON DELETE CASCADE,
  sha256 text NOT NULL,
  content bytea NOT NULL,
  PRIMARY KEY (workflow_id, sha256)
);

CREATE TABLE agents.artifacts (
  workflow_id text COLLATE "C" NOT NULL REFERENCES agents.workflows ON DELETE CASCADE,
  path text COLLATE "C" NOT NULL,
  version integer NOT NULL,
  step_index integer NOT NULL,
  attempt integer NOT NULL,
  media_type text NOT NULL,
  bytes integer NOT NULL,
  sha256 text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (workflow_id, path, version)
);

CREATE TABLE agents.calls (
  id text PRIMARY KEY,
  workflow_id text COLLATE "C" NOT NULL REFERENCES agents.workflows ON DELETE CASCADE,
  step_index integer NOT NULL,
  attempt integer NOT NULL,
  endpoint text NOT NULL,
  model text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  estimated_input_tokens integer NOT NULL,
  max_tokens integer NOT NULL,
  settled_at timestamptz,
  input_tokens integer,
  output_tokens integer,
  cached_tokens integer,
  reasoning_tokens integer,
  cost_usd double precision,
  estimated boolean,
  finish_reason text
);

CREATE INDEX calls_of_workflow ON agents.calls (workflow_id, step_index);
CREATE INDEX calls_by_day ON agents.calls (created_at);
