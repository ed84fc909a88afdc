-- What has ended, oldest first: what is no longer kept goes in this order.
CREATE INDEX workflows_ended ON agents.workflows (ended_at) WHERE ended_at IS NOT NULL;
