-- Open texts on their way to readers on other replicas. Neither of these tables has to survive a crash: a text is at
-- its runner until it is kept, and an announcement is made again. There are no foreign keys, so that a workflow that is
-- deleted or lost cannot refuse the texts of the others in the same statement.
CREATE UNLOGGED TABLE agents.chunks (
  workflow_id text COLLATE "C" NOT NULL,
  step_index integer NOT NULL,
  attempt integer NOT NULL,
  from_offset integer NOT NULL,
  to_offset integer NOT NULL,
  text text NOT NULL,
  -- By its end, so that what lies beyond an offset is one range, the chunk around the offset included.
  PRIMARY KEY (workflow_id, step_index, attempt, to_offset)
);

-- Workflows with a reader on a replica that does not run them.
CREATE UNLOGGED TABLE agents.announcements (
  workflow_id text COLLATE "C" PRIMARY KEY,
  announced_at timestamptz NOT NULL
) WITH (fillfactor = 70);
