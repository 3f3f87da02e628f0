-- Webhooks: who is told of events, how far the events are prepared for each, and every delivery.

CREATE TABLE webhooks (
    id INTEGER PRIMARY KEY,
    uuid TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    url TEXT NOT NULL,
    event_types TEXT NOT NULL,         -- JSON array of types and patterns like station.*
    location_ids TEXT,                 -- JSON array; null: not bound
    max_parallel INTEGER NOT NULL,
    secrets TEXT NOT NULL,             -- sealed JSON array of [secret, valid until], newest first
    enabled INTEGER NOT NULL,
    disabled_reason TEXT,
    seen_event_id INTEGER NOT NULL,    -- each event up to here has its delivery, or needs none
    failing_since INTEGER,             -- of the first failure after the last success
    last_success_at INTEGER,
    last_failure TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER                 -- its deliveries are removed a few at a time, then the row
);

-- One event for one webhook. The work is an item of a job; job_id and seq say which.
CREATE TABLE webhook_deliveries (
    webhook_id INTEGER NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    event_id INTEGER NOT NULL,
    type TEXT NOT NULL,
    state TEXT NOT NULL,               -- pending, delivered, failed
    payload TEXT NOT NULL,             -- what is sent, to the byte, at every attempt
    job_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (webhook_id, event_id)
) WITHOUT ROWID;
CREATE INDEX webhook_deliveries_open ON webhook_deliveries (webhook_id, state, event_id)
    WHERE state <> 'delivered';
