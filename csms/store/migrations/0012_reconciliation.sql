-- Reconciliation: what messages about transactions that could not be applied said, and what a
-- person, or an exact match, made of them.

ALTER TABLE transaction_conflicts ADD COLUMN uuid TEXT;
-- The content of a stop of OCPP 1.6, so that it can be applied later.
ALTER TABLE transaction_conflicts ADD COLUMN id_token TEXT;
ALTER TABLE transaction_conflicts ADD COLUMN register_mwh INTEGER;
ALTER TABLE transaction_conflicts ADD COLUMN reported_at INTEGER;
ALTER TABLE transaction_conflicts ADD COLUMN stop_reason TEXT;
ALTER TABLE transaction_conflicts ADD COLUMN flags TEXT NOT NULL DEFAULT '';
ALTER TABLE transaction_conflicts ADD COLUMN readings TEXT;  -- JSON, null: not a stop that was read
ALTER TABLE transaction_conflicts ADD COLUMN resolution TEXT;  -- paired, applied, dismissed, expired; null: open
ALTER TABLE transaction_conflicts ADD COLUMN resolved_at INTEGER;
ALTER TABLE transaction_conflicts ADD COLUMN resolved_by TEXT;  -- a token's public id; null: we did
ALTER TABLE transaction_conflicts ADD COLUMN evse_id INTEGER;  -- of samples and events
ALTER TABLE transaction_conflicts ADD COLUMN event TEXT;  -- JSON: what an event without an id says
-- What it was taken for, or what was made of it while it waits.
ALTER TABLE transaction_conflicts ADD COLUMN transaction_id INTEGER
    REFERENCES transactions (id) ON DELETE SET NULL;

UPDATE transaction_conflicts SET uuid = lower(
    hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2)
    || '-8' || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))
);
CREATE UNIQUE INDEX transaction_conflicts_uuid ON transaction_conflicts (uuid);
CREATE INDEX transaction_conflicts_open ON transaction_conflicts (id) WHERE resolution IS NULL;
CREATE INDEX transaction_conflicts_waiting ON transaction_conflicts (station_id, id)
    WHERE resolution IS NULL;
CREATE INDEX transaction_conflicts_taken ON transaction_conflicts (transaction_id)
    WHERE transaction_id IS NOT NULL;

-- Which transaction was going on at an EVSE at a time. Partial, so that looking for open ones uses
-- the smaller index of those.
CREATE INDEX transactions_history ON transactions (station_id, evse_id, started_at)
    WHERE started_at IS NOT NULL;
