-- Reservations, local authorization lists and display messages: what a station was told to keep.

CREATE TABLE reservations (
    station_id INTEGER NOT NULL REFERENCES stations (id) ON DELETE CASCADE,
    reservation_id INTEGER NOT NULL,
    evse_id INTEGER,                   -- null: any EVSE
    connector_type TEXT,
    id_token TEXT,                     -- null: a reservation that we did not make
    id_token_type TEXT,
    group_id_token TEXT,
    expires_at INTEGER,
    state TEXT NOT NULL,               -- reserved, cancelled, expired, removed, no_transaction
    reported_status TEXT,              -- the word the station used
    made_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (station_id, reservation_id)
) WITHOUT ROWID;
-- A reservation is used by the transaction that names it.
CREATE INDEX transactions_reservation ON transactions (station_id, reservation_id)
    WHERE reservation_id IS NOT NULL;

CREATE TABLE local_lists (
    station_id INTEGER PRIMARY KEY REFERENCES stations (id) ON DELETE CASCADE,
    version INTEGER,                   -- that the station has, by its last word
    known_version INTEGER,             -- whose entries are below; another one: they are not known
    refusal TEXT,                      -- the word with which it refused the last update
    updated_at INTEGER NOT NULL
);

CREATE TABLE local_list_entries (
    station_id INTEGER NOT NULL REFERENCES local_lists (station_id) ON DELETE CASCADE,
    key TEXT NOT NULL,                 -- trimmed, case folded
    type TEXT NOT NULL,                -- empty for 1.6
    id_token TEXT NOT NULL,
    status TEXT NOT NULL,
    expires_at INTEGER,
    group_id_token TEXT,
    PRIMARY KEY (station_id, key, type)
) WITHOUT ROWID;

CREATE TABLE display_messages (
    station_id INTEGER NOT NULL REFERENCES stations (id) ON DELETE CASCADE,
    message_id INTEGER NOT NULL,
    priority TEXT,
    state TEXT,                        -- shown in this state of the station only
    starts_at INTEGER,
    ends_at INTEGER,
    station_transaction_id TEXT,
    format TEXT,
    language TEXT,
    content TEXT,
    raw TEXT NOT NULL,
    updated_at INTEGER NOT NULL,       -- when it was set, or last reported
    PRIMARY KEY (station_id, message_id)
) WITHOUT ROWID;
