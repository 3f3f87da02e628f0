-- Smart charging: profiles that stations have, limits that others set, what EVs want.

CREATE TABLE charging_profiles (
    station_id INTEGER NOT NULL REFERENCES stations (id) ON DELETE CASCADE,
    profile_id INTEGER NOT NULL,
    evse_id INTEGER NOT NULL,          -- 0: the whole station
    purpose TEXT NOT NULL,             -- the word of OCPP 2.x
    kind TEXT,
    stack_level INTEGER,
    recurrency_kind TEXT,
    valid_from INTEGER,
    valid_to INTEGER,
    station_transaction_id TEXT,       -- of a TxProfile
    source TEXT NOT NULL,              -- who set it; CSO: we did
    schedules TEXT NOT NULL,           -- JSON in our words
    raw TEXT NOT NULL,
    updated_at INTEGER NOT NULL,       -- when it was set, or last reported
    PRIMARY KEY (station_id, profile_id)
) WITHOUT ROWID;

-- The limits that another system than ours imposes now.
CREATE TABLE charging_limits (
    station_id INTEGER NOT NULL REFERENCES stations (id) ON DELETE CASCADE,
    evse_id INTEGER NOT NULL,          -- 0: the whole station
    source TEXT NOT NULL,              -- EMS, SO, Other, ...
    grid_critical INTEGER,
    local_generation INTEGER,
    schedules TEXT NOT NULL,           -- JSON in our words; empty when the station does not tell
    raw TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (station_id, evse_id, source)
) WITHOUT ROWID;

-- What the EV at an EVSE said last: its needs, and the schedule that it intends to follow.
CREATE TABLE ev_charging_needs (
    station_id INTEGER NOT NULL REFERENCES stations (id) ON DELETE CASCADE,
    evse_id INTEGER NOT NULL,
    energy_transfer TEXT,
    departure_at INTEGER,
    answered TEXT NOT NULL,
    raw TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (station_id, evse_id)
) WITHOUT ROWID;

CREATE TABLE ev_charging_schedules (
    station_id INTEGER NOT NULL REFERENCES stations (id) ON DELETE CASCADE,
    evse_id INTEGER NOT NULL,
    time_base INTEGER,                 -- what the periods are relative to
    schedules TEXT NOT NULL,           -- JSON in our words
    answered TEXT NOT NULL,
    raw TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (station_id, evse_id)
) WITHOUT ROWID;

-- What a station last said it would do, all profiles and limits together.
CREATE TABLE composite_schedules (
    station_id INTEGER NOT NULL REFERENCES stations (id) ON DELETE CASCADE,
    evse_id INTEGER NOT NULL,          -- 0: the whole station
    rate_unit TEXT,
    starts_at INTEGER,
    duration_s INTEGER,
    periods TEXT NOT NULL,             -- JSON in our words
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (station_id, evse_id)
) WITHOUT ROWID;

-- Whether a driver gets the priority that the transaction may have (OCPP 2.1).
CREATE TABLE priority_charging (
    station_id INTEGER NOT NULL REFERENCES stations (id) ON DELETE CASCADE,
    station_transaction_id TEXT NOT NULL,
    activated INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (station_id, station_transaction_id)
) WITHOUT ROWID;
