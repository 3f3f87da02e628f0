-- Firmware for stations, logs from them, and the links over which they come and go.

-- The content lies in the data directory under the uuid; a row is written after its file.
CREATE TABLE firmware_images (
    id INTEGER PRIMARY KEY,
    uuid TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,                -- as it stands in links
    version TEXT,
    vendor TEXT,
    model TEXT,
    note TEXT,
    size_bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    signing_certificate TEXT,          -- PEM
    signature TEXT,                    -- base64
    created_by TEXT NOT NULL,          -- public id of a token
    created_at INTEGER NOT NULL
);

-- One file on its way. The link's secret is not here: only its hash, by which it is found.
CREATE TABLE file_transfers (
    id INTEGER PRIMARY KEY,
    uuid TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,                -- firmware, log
    station_id INTEGER NOT NULL REFERENCES stations (id) ON DELETE CASCADE,
    job_id INTEGER REFERENCES jobs (id) ON DELETE SET NULL,
    item_seq INTEGER NOT NULL,
    image_id INTEGER REFERENCES firmware_images (id) ON DELETE SET NULL,
    request_id INTEGER,                -- as in task_progress
    link_hash BLOB NOT NULL UNIQUE,
    state TEXT NOT NULL,               -- requested, running, succeeded, failed
    station_status TEXT,
    reason TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    closed_at INTEGER,
    deliveries_left INTEGER NOT NULL,
    fetches INTEGER NOT NULL DEFAULT 0,
    bytes_sent INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX file_transfers_station ON file_transfers (station_id, id);
CREATE INDEX file_transfers_image ON file_transfers (image_id) WHERE image_id IS NOT NULL;
CREATE INDEX file_transfers_waiting ON file_transfers (expires_at)
    WHERE state IN ('requested', 'running');
CREATE UNIQUE INDEX file_transfers_item ON file_transfers (job_id, item_seq)
    WHERE job_id IS NOT NULL;

CREATE TABLE file_fetches (
    id INTEGER PRIMARY KEY,
    transfer_id INTEGER NOT NULL REFERENCES file_transfers (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    address TEXT,
    user_agent TEXT,
    first_byte INTEGER NOT NULL,
    bytes_sent INTEGER NOT NULL,
    complete INTEGER NOT NULL
);
CREATE INDEX file_fetches_transfer ON file_fetches (transfer_id, id);

CREATE TABLE log_files (
    id INTEGER PRIMARY KEY,
    uuid TEXT NOT NULL UNIQUE,
    transfer_id INTEGER NOT NULL REFERENCES file_transfers (id) ON DELETE CASCADE,
    station_id INTEGER NOT NULL REFERENCES stations (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    media_type TEXT,                   -- as the station said
    size_bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    address TEXT,
    received_at INTEGER NOT NULL
);
CREATE INDEX log_files_station ON log_files (station_id, id);
CREATE INDEX log_files_transfer ON log_files (transfer_id);
