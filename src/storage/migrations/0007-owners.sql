-- Whose a workflow is: the name of the API key that started it, '' where there were none.
ALTER TABLE agents.workflows ADD COLUMN owner text NOT NULL DEFAULT '';
CREATE INDEX workflows_of_owner ON agents.workflows (owner, id DESC) WHERE owner <> '';
