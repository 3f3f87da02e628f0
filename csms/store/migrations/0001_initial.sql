-- Times are INTEGER microseconds UTC. JSON columns hold text. Ids named *_id are rowids.

CREATE TABLE engine (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    epoch INTEGER NOT NULL,            -- +1 at every start; fences writes of an earlier life
    clean INTEGER NOT NULL,            -- 1 when the last stop was orderly
    restored INTEGER NOT NULL,         -- 1 after a backup was put back
    boot_id TEXT
);
INSERT INTO engine (id, epoch, clean, restored, boot_id) VALUES (1, 0, 1, 0, NULL);

CREATE TABLE locations (
    id INTEGER PRIMARY KEY,
    uuid TEXT NOT NULL UNIQUE,
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    address TEXT,                      -- in one line; follows the four parts when they are known
    street TEXT,
    house_number TEXT,
    house_number_addition TEXT,
    postal_code TEXT,
    city TEXT,
    country TEXT,
    latitude REAL,
    longitude REAL,
    timezone TEXT,
    owner_name TEXT,
    public INTEGER NOT NULL DEFAULT 0,
    status TEXT NOT NULL DEFAULT 'active',
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER
);

CREATE TABLE stations (
    id INTEGER PRIMARY KEY,
    uuid TEXT NOT NULL UNIQUE,
    identity TEXT NOT NULL,            -- first spelling
    identity_key TEXT NOT NULL,        -- ASCII case folded; what is matched
    name TEXT,
    location_id INTEGER REFERENCES locations (id),
    brand_slug TEXT,
    model_slug TEXT,
    connector_type TEXT,
    connectors INTEGER NOT NULL DEFAULT 1,
    ws_url TEXT,
    ocpp_version TEXT,                 -- pin, or what a template declared; '1.6', '2.0.1', '2.1'
    virtual INTEGER NOT NULL DEFAULT 0,
    strict INTEGER,                    -- null: the server's default
    security_profile INTEGER NOT NULL DEFAULT 0,     -- the lowest it may use; only ever raised
    -- last BootNotification
    vendor TEXT,
    model TEXT,
    serial_number TEXT,
    firmware_version TEXT,
    boot_raw TEXT,
    booted_at INTEGER,
    registration TEXT NOT NULL DEFAULT 'Accepted',   -- Accepted, Pending, Rejected
    -- presence; online = connected_epoch is the current epoch
    connected_epoch INTEGER,
    connected_version TEXT,            -- subprotocol of the last connection
    last_connected_at INTEGER,
    last_disconnected_at INTEGER,
    last_heartbeat_at INTEGER,
    -- which job item made it, so that a retry knows its own child
    created_job_id INTEGER,
    created_seq INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER
);
CREATE UNIQUE INDEX stations_identity ON stations (identity_key) WHERE deleted_at IS NULL;
CREATE INDEX stations_serial_number ON stations (lower(trim(serial_number)))
    WHERE deleted_at IS NULL;
CREATE INDEX stations_location ON stations (location_id, id) WHERE deleted_at IS NULL;
CREATE INDEX stations_virtual ON stations (id) WHERE virtual = 1 AND deleted_at IS NULL;

CREATE TABLE credentials (
    id INTEGER PRIMARY KEY,
    station_id INTEGER NOT NULL REFERENCES stations (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,                -- generated, supplied, derived, waived
    rotation INTEGER NOT NULL,         -- number of this password; derived ones come from it
    salt BLOB,
    hash BLOB,                         -- null for derived
    created_at INTEGER NOT NULL,
    offered_at INTEGER                 -- null: valid; else sent to the station, which may use it
);
CREATE INDEX credentials_station ON credentials (station_id);

CREATE TABLE connectors (
    station_id INTEGER NOT NULL REFERENCES stations (id) ON DELETE CASCADE,
    evse_id INTEGER NOT NULL,          -- 0: the whole station
    connector_id INTEGER NOT NULL,
    status TEXT NOT NULL,              -- the five of OCPP 2.x
    reported_status TEXT NOT NULL,     -- the word the station used
    error_code TEXT,
    info TEXT,
    vendor_id TEXT,
    vendor_error_code TEXT,
    reported_at INTEGER,               -- the station's clock
    updated_at INTEGER NOT NULL,       -- ours
    PRIMARY KEY (station_id, evse_id, connector_id)
) WITHOUT ROWID;

CREATE TABLE status_notifications (
    id INTEGER PRIMARY KEY,
    station_id INTEGER NOT NULL REFERENCES stations (id) ON DELETE CASCADE,
    evse_id INTEGER NOT NULL,
    connector_id INTEGER NOT NULL,
    status TEXT NOT NULL,
    reported_status TEXT NOT NULL,
    error_code TEXT,
    reported_at INTEGER,
    received_at INTEGER NOT NULL,
    raw TEXT NOT NULL
);
CREATE INDEX status_notifications_station ON status_notifications (station_id, id);

CREATE TABLE boots (
    id INTEGER PRIMARY KEY,
    station_id INTEGER NOT NULL REFERENCES stations (id) ON DELETE CASCADE,
    epoch INTEGER NOT NULL,
    generation INTEGER NOT NULL,       -- of the connection it came on
    triggered INTEGER NOT NULL,        -- we asked for it on this connection
    reason TEXT,                       -- OCPP 2.x only
    status TEXT NOT NULL,              -- what we answered
    received_at INTEGER NOT NULL,
    raw TEXT NOT NULL
);
CREATE INDEX boots_station ON boots (station_id, id);

CREATE TABLE id_tokens (
    id INTEGER PRIMARY KEY,
    value TEXT NOT NULL,
    key TEXT NOT NULL,                 -- trimmed, case folded
    type TEXT NOT NULL DEFAULT '',
    status TEXT NOT NULL,              -- what a person decided; Unknown: nobody yet
    group_key TEXT,
    expires_at INTEGER,
    first_seen_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    UNIQUE (key, type)
);

CREATE TABLE transactions (
    id INTEGER PRIMARY KEY,
    uuid TEXT NOT NULL UNIQUE,
    station_id INTEGER NOT NULL REFERENCES stations (id),
    evse_id INTEGER,
    connector_id INTEGER,
    station_transaction_id TEXT NOT NULL,
    id_token TEXT,
    id_token_key TEXT,
    id_token_type TEXT,                -- OCPP 2.x only
    id_token_status TEXT,              -- what we answered at the start
    start_register_mwh INTEGER,
    last_register_mwh INTEGER,
    end_register_mwh INTEGER,
    register_phases TEXT,              -- which the registers count, as in L1+L2; null: all
    lowest_sample_mwh INTEGER,         -- 1.6; the highest one is last_register_mwh
    sample_below INTEGER NOT NULL DEFAULT 0,  -- 1.6: 1 when one came that is below one before
    started_at INTEGER,                -- the station's clock
    start_received_at INTEGER NOT NULL,
    ended_at INTEGER,
    end_received_at INTEGER,
    stop_reason TEXT,
    charging_state TEXT,
    reservation_id INTEGER,
    remote_start_id INTEGER,
    sequence_run INTEGER NOT NULL DEFAULT 0,  -- of the event numbered last, see transaction_events
    last_seq_no INTEGER,
    cost_micros INTEGER,               -- millionths of the currency; null: none that we know
    currency TEXT,
    natural_key TEXT,                  -- 1.6: what makes a repeated StartTransaction the same one
    flags TEXT NOT NULL DEFAULT '',    -- comma separated: clock_suspect, negative_energy, ...
    UNIQUE (station_id, station_transaction_id)
);
CREATE UNIQUE INDEX transactions_natural ON transactions (station_id, natural_key)
    WHERE natural_key IS NOT NULL;
-- The token is in it so that counting a token's open transactions reads nothing but the index.
CREATE INDEX transactions_open ON transactions (station_id, id_token_key)
    WHERE end_received_at IS NULL;
-- Lists, by the beginning: of all, of a station, of a token.
CREATE INDEX transactions_begun ON transactions (ifnull(started_at, start_received_at));
CREATE INDEX transactions_station_begun ON transactions
    (station_id, ifnull(started_at, start_received_at));
CREATE INDEX transactions_token_begun ON transactions
    (id_token_key, ifnull(started_at, start_received_at)) WHERE id_token_key IS NOT NULL;

-- 1.6 ids come from us: random, unique in the database, never reused, even when a row goes.
CREATE TABLE issued_transaction_ids (
    transaction_id INTEGER PRIMARY KEY
);

-- What each message said. In OCPP 2.x the row of a transaction is the sum of these.
CREATE TABLE transaction_events (
    id INTEGER PRIMARY KEY,
    transaction_id INTEGER NOT NULL REFERENCES transactions (id) ON DELETE CASCADE,
    type TEXT NOT NULL,                -- Started, Updated, Ended
    run INTEGER NOT NULL DEFAULT 0,    -- +1 whenever the station counts anew in one transaction
    seq_no INTEGER,                    -- null for 1.6
    trigger_reason TEXT,
    offline INTEGER NOT NULL DEFAULT 0,
    reported_at INTEGER,
    received_at INTEGER NOT NULL,
    evse_id INTEGER,
    connector_id INTEGER,
    charging_state TEXT,
    stopped_reason TEXT,
    reservation_id INTEGER,
    remote_start_id INTEGER,
    id_token TEXT,
    id_token_type TEXT,
    id_token_status TEXT,              -- what we answered about it
    first_register_mwh INTEGER,
    last_register_mwh INTEGER,
    register_phases TEXT,
    flags TEXT NOT NULL DEFAULT '',
    raw TEXT NOT NULL
);
CREATE INDEX transaction_events_transaction ON transaction_events (transaction_id, id);
CREATE UNIQUE INDEX transaction_events_number ON transaction_events (transaction_id, seq_no, run)
    WHERE seq_no IS NOT NULL;

CREATE TABLE meter_values (
    id INTEGER PRIMARY KEY,
    station_id INTEGER NOT NULL REFERENCES stations (id) ON DELETE CASCADE,
    transaction_id INTEGER,            -- transactions.id; null: of the EVSE
    evse_id INTEGER NOT NULL,
    reported_at INTEGER,
    reported_raw TEXT,                 -- the station's spelling where it was not a plain instant
    received_at INTEGER NOT NULL,
    context TEXT NOT NULL,
    register_mwh INTEGER,
    power_w REAL,
    current_a REAL,
    soc_percent REAL,
    samples TEXT NOT NULL,             -- JSON array: all sampled values as received
    sample_count INTEGER GENERATED ALWAYS AS (
        CASE WHEN json_valid(samples) THEN json_array_length(samples) ELSE 0 END
    ) STORED
);
-- What makes a repeated MeterValues the same one; ifnull, because NULLs never collide. It also
-- finds the readings of a transaction, because each further index of the busiest table costs.
CREATE UNIQUE INDEX meter_values_natural ON meter_values
    (station_id, ifnull(transaction_id, 0), evse_id, ifnull(reported_at, received_at), context);
CREATE INDEX meter_values_station ON meter_values
    (station_id, ifnull(reported_at, received_at), id, sample_count);

-- Messages about a transaction that we could not apply: recorded, never applied to another's.
CREATE TABLE transaction_conflicts (
    id INTEGER PRIMARY KEY,
    station_id INTEGER NOT NULL REFERENCES stations (id) ON DELETE CASCADE,
    action TEXT NOT NULL,
    cause TEXT NOT NULL,               -- unknown_transaction, foreign_transaction, already_ended, ...
    station_transaction_id TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    raw TEXT NOT NULL,                 -- of the first one
    -- What makes two of them the same: the content of a stop, nothing for meter values, whose
    -- samples have rows of their own (some stations send a dead id with every sample for ever).
    fingerprint BLOB NOT NULL,
    repeats INTEGER NOT NULL DEFAULT 0,
    last_received_at INTEGER NOT NULL,
    UNIQUE (station_id, action, cause, station_transaction_id, fingerprint)
);

CREATE TABLE data_transfers (
    id INTEGER PRIMARY KEY,
    station_id INTEGER NOT NULL REFERENCES stations (id) ON DELETE CASCADE,
    vendor_id TEXT NOT NULL,
    message_type TEXT,
    data TEXT,
    status TEXT NOT NULL,              -- what we answered
    received_at INTEGER NOT NULL
);
CREATE INDEX data_transfers_station ON data_transfers (station_id, id);

CREATE TABLE ocpp_messages (
    id INTEGER PRIMARY KEY,
    station_id INTEGER NOT NULL,
    direction TEXT NOT NULL,           -- in: from the station, out: to it
    version TEXT NOT NULL,
    action TEXT NOT NULL,
    message_id TEXT NOT NULL,
    payload TEXT,
    answer TEXT,
    error_code TEXT,
    state TEXT NOT NULL,               -- done, failed, timeout, lost
    verdict TEXT,                      -- why the schema refused it, null when it did not
    started_at INTEGER NOT NULL,
    latency_us INTEGER
);
CREATE INDEX ocpp_messages_station ON ocpp_messages (station_id, id);

CREATE TABLE inbox (
    id INTEGER PRIMARY KEY,
    uuid TEXT NOT NULL UNIQUE,
    identity TEXT NOT NULL,
    identity_key TEXT NOT NULL,
    cause TEXT NOT NULL,               -- unknown_identity, no_password_set, bad_password, ...
    address TEXT NOT NULL,
    detail TEXT,
    ocpp_version TEXT,
    vendor TEXT,
    model TEXT,
    serial_number TEXT,
    firmware_version TEXT,
    attempts INTEGER NOT NULL DEFAULT 1,
    first_seen_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    UNIQUE (identity_key, cause, address)
);
CREATE INDEX inbox_age ON inbox (last_seen_at);
CREATE INDEX inbox_first_seen ON inbox (first_seen_at);

CREATE TABLE tokens (
    id INTEGER PRIMARY KEY,
    public_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,         -- SHA-256 of the whole string
    role TEXT NOT NULL,
    location_ids TEXT,                 -- JSON array; null: not bound
    source TEXT NOT NULL,              -- created, environment, cli
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    last_used_at INTEGER,
    revoked_at INTEGER
);

CREATE TABLE idempotency_keys (
    principal TEXT NOT NULL,
    key TEXT NOT NULL,
    body_sha256 BLOB NOT NULL,
    resource TEXT NOT NULL,            -- kind:uuid of what the write made
    created_at INTEGER NOT NULL,
    PRIMARY KEY (principal, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,   -- never reused: clients resume from it
    type TEXT NOT NULL,
    at INTEGER NOT NULL,
    station_id INTEGER,
    job_id INTEGER,
    location_id INTEGER,
    data TEXT NOT NULL
);
CREATE INDEX events_job ON events (job_id, id) WHERE job_id IS NOT NULL;
CREATE INDEX events_at ON events (at);

CREATE TABLE jobs (
    -- Never given again: events and stations name the job, also when it is deleted.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    dialect TEXT NOT NULL,             -- native, chargers, commands
    lane TEXT NOT NULL,                -- interactive, bulk
    state TEXT NOT NULL,
    hidden INTEGER NOT NULL DEFAULT 0, -- single commands stay out of the list by default
    principal TEXT NOT NULL,           -- who submitted it
    reach TEXT,                        -- JSON array of location ids; null: all
    location_id INTEGER,
    params TEXT NOT NULL,              -- frozen at accept
    policy TEXT NOT NULL,              -- frozen at accept
    workflow_run_id TEXT NOT NULL,     -- new at each resume or retry
    generation INTEGER NOT NULL DEFAULT 1,
    settles INTEGER NOT NULL DEFAULT 0,-- how many items ever reached a final state
    total INTEGER NOT NULL,
    open INTEGER NOT NULL,             -- items not final yet
    held INTEGER NOT NULL DEFAULT 0,   -- of them those whose wave is not open
    succeeded INTEGER NOT NULL DEFAULT 0,
    rejected INTEGER NOT NULL DEFAULT 0,
    errored INTEGER NOT NULL DEFAULT 0,
    unknown INTEGER NOT NULL DEFAULT 0,
    offline INTEGER NOT NULL DEFAULT 0,
    expired INTEGER NOT NULL DEFAULT 0,
    cancelled INTEGER NOT NULL DEFAULT 0,
    skipped INTEGER NOT NULL DEFAULT 0,
    error TEXT,                        -- JSON {code, message, step, param, doc_url, retryable}
    pause_reason TEXT,                 -- null unless paused
    wave INTEGER NOT NULL DEFAULT 1,   -- which one is open
    wave_begins TEXT NOT NULL DEFAULT '[]',    -- JSON array: the seq of each wave but the first
    forgiven_failed INTEGER NOT NULL DEFAULT 0,-- what the abort threshold does not count: items
    forgiven_settles INTEGER NOT NULL DEFAULT 0,-- settled before the last resume or retry
    not_before INTEGER,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    updated_at INTEGER NOT NULL
);
CREATE INDEX jobs_live ON jobs (id) WHERE finished_at IS NULL;
CREATE INDEX jobs_shown ON jobs (id) WHERE hidden = 0;
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX jobs_location ON jobs (location_id) WHERE location_id IS NOT NULL;

CREATE TABLE job_items (
    job_id INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    key TEXT NOT NULL,                 -- identity, or the target's uuid as submitted
    target INTEGER,                    -- stations.id; null until registered
    state TEXT NOT NULL,
    step TEXT,
    attempt INTEGER NOT NULL DEFAULT 0,        -- every claim; fences writes
    attempts_used INTEGER NOT NULL DEFAULT 0,  -- those that count against the policy
    interruptions INTEGER NOT NULL DEFAULT 0,
    interrupted_settles INTEGER,
    epoch INTEGER,
    data TEXT NOT NULL,                -- frozen at accept
    due_at INTEGER NOT NULL,           -- ready: run; wait_online: judge; unknown: window closes
    deadline_at INTEGER,
    window_open INTEGER NOT NULL DEFAULT 0,
    code TEXT,
    message TEXT,
    retryable INTEGER NOT NULL DEFAULT 0,
    response TEXT,
    response_status TEXT,
    executed_at INTEGER,
    PRIMARY KEY (job_id, seq)
) WITHOUT ROWID;
CREATE UNIQUE INDEX job_items_target ON job_items (job_id, target) WHERE target IS NOT NULL;
CREATE INDEX job_items_first ON job_items (target, job_id) WHERE seq = 0;
-- One index a live state: a partial index serves a query only when its condition is a term of it.
CREATE INDEX job_items_ready ON job_items (job_id, due_at, seq) WHERE state = 'ready';
CREATE INDEX job_items_waiting ON job_items (target) WHERE state = 'wait_online';
CREATE INDEX job_items_waiting_due ON job_items (job_id, due_at) WHERE state = 'wait_online';
CREATE INDEX job_items_window ON job_items (job_id, due_at) WHERE window_open = 1;
CREATE INDEX job_items_in_flight ON job_items (epoch) WHERE state = 'in_flight';
-- A chain, because NOT IN builds its list anew for every row that is written.
CREATE INDEX job_items_failed ON job_items (job_id, seq)
    WHERE state <> 'held' AND state <> 'ready' AND state <> 'wait_online'
    AND state <> 'in_flight' AND state <> 'succeeded';

CREATE TABLE job_attempts (
    job_id INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    job_generation INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    step TEXT,
    epoch INTEGER NOT NULL,
    message_id TEXT,
    connection_generation INTEGER,
    intent_at INTEGER NOT NULL,
    ended_at INTEGER,
    outcome TEXT,
    detail TEXT,
    late_response TEXT,
    late_at INTEGER,
    PRIMARY KEY (job_id, seq, attempt)
) WITHOUT ROWID;
CREATE UNIQUE INDEX job_attempts_message ON job_attempts (message_id) WHERE message_id IS NOT NULL;
