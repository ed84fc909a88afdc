ALTER TABLE agents.steps
  ADD COLUMN waiting_attempt integer,
  ADD COLUMN waiting_since timestamptz,
  ADD COLUMN expires_at timestamptz,
  ADD COLUMN revisions integer NOT NULL DEFAULT 0,
  ADD COLUMN feedback json,
  ADD COLUMN edited boolean NOT NULL DEFAULT false;

CREATE INDEX steps_waiting ON agents.steps (waiting_since, workflow_id, step_index) WHERE status = 'waiting';
CREATE INDEX steps_expiring ON agents.steps (expires_at) WHERE status = 'waiting' AND expires_at IS NOT NULL;

-- What a person made of a kept text; the text itself stays what the model wrote.
CREATE TABLE agents.edits (
  workflow_id text COLLATE "C" NOT NULL REFERENCES agents.workflows ON DELETE CASCADE,
  step_index integer NOT NULL,
  attempt integer NOT NULL,
  text text NOT NULL,
  PRIMARY KEY (workflow_id, step_index, attempt)
);

-- How a person answered a text, so that the same answer again is known as such.
CREATE TABLE agents.answers (
  workflow_id text COLLATE "C" NOT NULL REFERENCES agents.workflows ON DELETE CASCADE,
  step_index integer NOT NULL,
  attempt integer NOT NULL,
  verb text NOT NULL CHECK (verb IN ('approve', 'reject')),
  digest text NOT NULL,
  PRIMARY KEY (workflow_id, step_index, attempt)
);

ALTER TABLE agents.artifacts ADD COLUMN edited boolean NOT NULL DEFAULT false;
