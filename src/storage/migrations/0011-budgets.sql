-- What a call may cost at most, known before it is made.
ALTER TABLE agents.calls ADD COLUMN reserved_cost_usd double precision;
