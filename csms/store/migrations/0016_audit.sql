-- Who wrote what through the API, the answers of keyed requests, and scopes of tokens.

-- One row per request that changed something or tried to; `count` > 1 sums up refused ones.
-- No references: what happened stays, whatever became of the station.
CREATE TABLE audit_entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    principal TEXT,                    -- public id of the token; null: nobody we know
    name TEXT,                         -- the token's name and role then
    role TEXT,
    address TEXT,
    request_id TEXT,
    method TEXT NOT NULL,
    route TEXT NOT NULL,               -- the pattern
    path TEXT NOT NULL,                -- as it was asked for, with its query
    events TEXT NOT NULL,              -- JSON array: types of the events of its first transaction
    station_id INTEGER,                -- the one that these are about; null: none, or several
    location_id INTEGER,
    job_uuid TEXT,                     -- not its row id, for a job can be forgotten
    status INTEGER,                    -- of the answer; null: there was none, or not yet
    code TEXT,                         -- the error's
    created_id TEXT,                   -- public id of what it made, as the answer told it
    count INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX audit_entries_principal ON audit_entries (principal, id);
CREATE INDEX audit_entries_station ON audit_entries (station_id, id) WHERE station_id IS NOT NULL;
CREATE INDEX audit_entries_failed ON audit_entries (id) WHERE status >= 400;

-- An entry is told its result once; nothing else in it ever changes.
CREATE TRIGGER audit_entries_result BEFORE UPDATE OF status, code, created_id
ON audit_entries
WHEN OLD.status IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'the result of an audit entry stands'); END;
CREATE TRIGGER audit_entries_stand BEFORE UPDATE OF id, at, principal, name, role, address,
    request_id, method, route, path, events, station_id, location_id, job_uuid, count
ON audit_entries
BEGIN SELECT RAISE(ABORT, 'audit entries are never changed'); END;

-- `resource` is `answer` where nothing was made; status null: the answer is not kept, or not yet.
ALTER TABLE idempotency_keys ADD COLUMN status INTEGER;
ALTER TABLE idempotency_keys ADD COLUMN headers TEXT;
ALTER TABLE idempotency_keys ADD COLUMN body BLOB;       -- zlib

ALTER TABLE tokens ADD COLUMN scopes TEXT;               -- JSON array; null: all of the role
