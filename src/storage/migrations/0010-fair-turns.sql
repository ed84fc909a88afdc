-- Which of the keys goes on next: docs/decisions/fair-turns.md. `admitted` is the activation for which a workflow has
-- been given a share of its key, where keys have one.
ALTER TABLE agents.workflows ADD COLUMN turn integer NOT NULL DEFAULT 0, ADD COLUMN admitted integer;

-- Being run: claimed, or let in and about to be claimed, for the activation that there is. Whoever asks for one of these
-- has to repeat its condition word for word.
CREATE INDEX workflows_running ON agents.workflows (priority, turn)
  WHERE active AND owner <> '' AND activation IN (claim_activation, admitted);
CREATE INDEX workflows_running_of_owner ON agents.workflows (owner)
  WHERE active AND owner <> '' AND activation IN (claim_activation, admitted);
CREATE INDEX workflows_next ON agents.workflows (priority, turn)
  WHERE active AND owner <> '' AND (activation IN (claim_activation, admitted)) IS NOT TRUE;
CREATE INDEX workflows_last_of_owner ON agents.workflows (owner, priority, turn) WHERE active AND owner <> '';

-- The turn of a workflow that is about to become active. It has to be stored in the transaction that asks.
CREATE FUNCTION agents.next_turn(whose text, of_priority integer) RETURNS integer LANGUAGE plpgsql
  SET enable_seqscan = off AS $$
DECLARE
  next_in_line record;
  earliest integer;
  last integer;
  turn integer;
  chosen integer;
BEGIN
  -- Where nobody has a key there is nobody to be fair to.
  IF whose = '' THEN
    RETURN 0;
  END IF;
  SELECT w.turn, w.updated_at INTO next_in_line FROM agents.workflows w
    WHERE w.active AND w.owner <> '' AND (w.activation IN (w.claim_activation, w.admitted)) IS NOT TRUE
      AND w.priority = of_priority
    ORDER BY w.turn LIMIT 1;
  SELECT greatest(max(w.turn), next_in_line.turn - 1, 0) INTO earliest FROM agents.workflows w
    WHERE w.active AND w.owner <> '' AND w.activation IN (w.claim_activation, w.admitted) AND w.priority = of_priority;
  -- Whoever comes back at once, while others wait, has had this turn.
  SELECT least(n.turn + 1, next_in_line.turn) INTO last
    FROM (SELECT * FROM agents.workflows w WHERE w.owner = whose AND w.owner <> '' ORDER BY w.id DESC LIMIT 1) n
    WHERE n.priority = of_priority AND n.ended_at > next_in_line.updated_at;
  turn := greatest(earliest, last);
  LOOP
    -- Each of these sees what was committed before it began.
    SELECT max(w.turn) + 1 INTO last FROM agents.workflows w
      WHERE w.active AND w.owner <> '' AND w.owner = whose AND w.priority = of_priority;
    turn := greatest(turn, last);
    EXIT WHEN turn = chosen;
    -- A turn that somebody has chosen and nobody can see yet is locked, so that nobody has to wait for a commit.
    WHILE NOT pg_try_advisory_xact_lock(hashtext(whose || ' ' || of_priority), turn) LOOP
      turn := turn + 1;
    END LOOP;
    chosen := turn;
  END LOOP;
  RETURN turn;
END
$$;

-- Lets a workflow in that is about to be claimed for `of_activation`, unless `share` others of its owner are being run.
-- One that is being run already, or was by a process that is lost, is let in.
CREATE FUNCTION agents.take_share(wanted text, of_activation integer, share integer) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  whose text := (SELECT owner FROM agents.workflows WHERE id = wanted);
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(whose, 7021));
  -- What follows sees everything that was let in before the lock was given.
  PERFORM FROM agents.workflows w WHERE w.id = wanted AND w.activation IN (w.claim_activation, w.admitted);
  IF FOUND THEN
    RETURN true;
  END IF;
  IF share <= (
    SELECT count(*) FROM agents.workflows w
    WHERE w.active AND w.owner <> '' AND w.activation IN (w.claim_activation, w.admitted) AND w.owner = whose
  ) THEN
    RETURN false;
  END IF;
  -- When it is not active any more, or for another activation, its claim will find that out.
  UPDATE agents.workflows w SET admitted = of_activation
    WHERE w.id = wanted AND w.active AND w.activation = of_activation;
  RETURN true;
END
$$;

-- What waits already is in line with what comes, and can be passed over by its owner.
DO $$
BEGIN
  IF to_regclass('pgboss.job') IS NOT NULL THEN
    UPDATE pgboss.job j SET priority = j.priority * 10000000, group_id = nullif(w.owner, '')
      FROM agents.workflows w WHERE j.name = 'activation' AND j.state < 'completed' AND j.id = w.job_id;
  END IF;
END
$$;
