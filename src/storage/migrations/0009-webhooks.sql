-- What a workflow asked to be told of (null: nothing), so that a change knows it without a look elsewhere.
ALTER TABLE agents.workflows ADD COLUMN webhook_events json;
-- As the client wrote it, without the secret.
ALTER TABLE agents.workflow_inputs ADD COLUMN webhook json;

-- Where it is told. Only who sends reads this table: nothing that a client is shown comes from it.
CREATE TABLE agents.webhooks (
  workflow_id text COLLATE "C" PRIMARY KEY,
  url text NOT NULL,
  origin text COLLATE "C" NOT NULL,
  secret text,
  disabled_at timestamptz
);

-- One row per event that was asked for, written with the event. `tries` counts those of its schedule.
CREATE TABLE agents.webhook_deliveries (
  workflow_id text COLLATE "C" NOT NULL,
  seq integer NOT NULL,
  event text NOT NULL,
  origin text COLLATE "C" NOT NULL,
  status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'delivered', 'failed', 'disabled')),
  tries integer NOT NULL DEFAULT 0,
  attempts jsonb NOT NULL DEFAULT '[]',
  created_at timestamptz NOT NULL,
  next_try_at timestamptz,
  redeliver_at timestamptz,
  delivered_at timestamptz,
  lease integer NOT NULL DEFAULT 0,
  leased_until timestamptz,
  PRIMARY KEY (workflow_id, seq)
) WITH (fillfactor = 70);

-- Receiver by receiver, so that one who is behind by a hundred thousand costs no more to pass over than any other.
CREATE INDEX webhook_deliveries_due ON agents.webhook_deliveries
  (origin, least(next_try_at, redeliver_at), workflow_id, seq)
  WHERE least(next_try_at, redeliver_at) IS NOT NULL;

-- As migration 0005 has it: no foreign keys, with the workflow they go by a trigger.
CREATE FUNCTION agents.delete_webhooks_of_workflows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM agents.webhooks WHERE workflow_id IN (SELECT id FROM gone);
  DELETE FROM agents.webhook_deliveries WHERE workflow_id IN (SELECT id FROM gone);
  RETURN NULL;
END
$$;

CREATE TRIGGER webhooks_of_workflows AFTER DELETE ON agents.workflows
  REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION agents.delete_webhooks_of_workflows();
