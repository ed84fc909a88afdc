import type { Database } from '../../src/storage/database.ts'

// Written by the database in the transaction that changes it, and under a lock: each row is what is true when that
// transaction is committed.
const install = `
  CREATE TABLE agents.running_log (n serial, owner text, running integer, at timestamptz DEFAULT clock_timestamp());
  CREATE FUNCTION agents.log_running() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM pg_advisory_xact_lock(4711, hashtext(NEW.owner));
    INSERT INTO agents.running_log (owner, running)
      SELECT NEW.owner, count(*) FROM agents.workflows w
      WHERE w.owner = NEW.owner AND w.active AND w.claim_activation = w.activation;
    RETURN NULL;
  END
  $$;
  CREATE TRIGGER log_running AFTER UPDATE ON agents.workflows FOR EACH ROW
    WHEN ((OLD.active AND OLD.claim_activation = OLD.activation) IS DISTINCT FROM
          (NEW.active AND NEW.claim_activation = NEW.activation))
    EXECUTE FUNCTION agents.log_running();`

/** Has the database note how many workflows of an owner are claimed, each time that this changes. */
export async function logRunning(query: Database['query']): Promise<void> {
  await query(install)
}

const figures = `
  SELECT max(running)::integer AS most,
    coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FILTER (WHERE running < $2), 0)::integer AS "shortMs"
  FROM (
    SELECT running, extract(epoch FROM lead(at) OVER (ORDER BY n) - at) * 1000 AS ms
    FROM agents.running_log WHERE owner = $1
  ) l`

/** The most that an owner had at any moment, and for how long (median) it had less than `share` until that changed. */
export async function runningFigures(query: Database['query'], [owner, share]: readonly [string, number]) {
  const { rows } = await query<{ most: number; shortMs: number }>(figures, [owner, share])
  return rows[0] ?? { most: 0, shortMs: 0 }
}
