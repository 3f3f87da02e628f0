-- What the messages of stations do wrong, one row for each kind of breach, counted.
CREATE TABLE lint_findings (
    id INTEGER PRIMARY KEY,
    station_id INTEGER NOT NULL REFERENCES stations (id) ON DELETE CASCADE,
    version TEXT NOT NULL,
    direction TEXT NOT NULL,           -- in: its CALL or SEND, out: its answer to a CALL of ours
    action TEXT NOT NULL,              -- '' where the frame did not get that far
    rule TEXT NOT NULL,
    path TEXT NOT NULL,                -- '' is the message itself
    firmware_version TEXT NOT NULL,    -- of the last boot before it was written; '' before any
    clause TEXT,                       -- of the specification
    example TEXT,                      -- of the first one, redacted and cut
    count INTEGER NOT NULL,
    first_seen_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    UNIQUE (station_id, version, direction, action, rule, path, firmware_version)
);
CREATE INDEX lint_findings_station ON lint_findings (station_id, id);
CREATE INDEX lint_findings_firmware ON lint_findings (firmware_version, id);
