-- What stream tickets are signed with: one row, made by whoever needs it first. Not made here, because a prepared
-- database is copied to many places, which must not share a key.
CREATE TABLE agents.signing_key (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  key bytea NOT NULL CHECK (octet_length(key) = 32)
);
