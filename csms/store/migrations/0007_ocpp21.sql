-- What only OCPP 2.1 knows: notices of stations, event streams, schedules that change all the time.

-- What stations tell that asks for nothing but to be kept: swapped batteries, settled payments,
-- alarms and controls of distributed energy resources.
CREATE TABLE notices (
    id INTEGER PRIMARY KEY,
    station_id INTEGER NOT NULL REFERENCES stations (id) ON DELETE CASCADE,
    action TEXT NOT NULL,
    reference TEXT,                    -- what it is about: a request, a payment, a control
    status TEXT,                       -- what it says about that, in the station's word
    reported_at INTEGER,               -- the station's clock
    received_at INTEGER NOT NULL,
    raw TEXT NOT NULL,
    fingerprint BLOB NOT NULL,         -- of raw: a repeated one is the same one
    UNIQUE (station_id, action, fingerprint)
);
CREATE INDEX notices_station ON notices (station_id, id);
CREATE INDEX notices_reference ON notices (station_id, action, reference, id);

CREATE TABLE event_streams (
    station_id INTEGER NOT NULL REFERENCES stations (id) ON DELETE CASCADE,
    stream_id INTEGER NOT NULL,        -- the station's; may be used again after it is closed
    monitor_id INTEGER,                -- null: values came, but nobody opened it
    interval_s INTEGER,                -- how often values are sent
    max_values INTEGER,                -- or after how many
    pending INTEGER,                   -- values that the station still holds back
    opened_at INTEGER NOT NULL,
    closed_at INTEGER,
    PRIMARY KEY (station_id, stream_id)
) WITHOUT ROWID;

-- What update_dynamic_schedule said last, for the station that asks by itself.
CREATE TABLE dynamic_schedules (
    station_id INTEGER NOT NULL REFERENCES stations (id) ON DELETE CASCADE,
    charging_profile_id INTEGER NOT NULL,
    schedule_update TEXT NOT NULL,     -- JSON as sent
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (station_id, charging_profile_id)
) WITHOUT ROWID;
