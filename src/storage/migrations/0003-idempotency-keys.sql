-- Which change an Idempotency-Key was used for. The primary key is what a second request waits for.
CREATE TABLE agents.idempotency_keys (
  owner text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  digest text NOT NULL,
  workflow_id text COLLATE "C" NOT NULL REFERENCES agents.workflows ON DELETE CASCADE,
  seq integer NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (owner, key)
);

CREATE INDEX idempotency_keys_of_workflow ON agents.idempotency_keys (workflow_id);
CREATE INDEX idempotency_keys_by_age ON agents.idempotency_keys (created_at);
