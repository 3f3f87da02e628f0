-- What stations tell of their own accord: security events, how long tasks go on, what monitors saw.

CREATE TABLE security_events (
    id INTEGER PRIMARY KEY,
    station_id INTEGER NOT NULL REFERENCES stations (id) ON DELETE CASCADE,
    type TEXT NOT NULL,
    tech_info TEXT,
    critical INTEGER NOT NULL,
    reported_at INTEGER,               -- the station's clock
    received_at INTEGER NOT NULL,
    raw TEXT NOT NULL
);
CREATE INDEX security_events_station ON security_events (station_id, id);
CREATE INDEX security_events_natural ON security_events (station_id, type, reported_at)
    WHERE reported_at IS NOT NULL;

-- The story of a task in the order in which we heard it; the newest row is where it stands.
CREATE TABLE task_progress (
    id INTEGER PRIMARY KEY,
    station_id INTEGER NOT NULL REFERENCES stations (id) ON DELETE CASCADE,
    task TEXT NOT NULL,                -- firmware_update, firmware_publication, log_upload
    request_id INTEGER,                -- null: OCPP 1.6 without its security extension
    status TEXT NOT NULL,              -- the words of OCPP 2.x
    answered INTEGER NOT NULL,         -- 1: the answer to our command, which opens the story
    received_at INTEGER NOT NULL,
    raw TEXT NOT NULL
);
CREATE INDEX task_progress_station ON task_progress (station_id, task, id);

CREATE TABLE monitoring_events (
    id INTEGER PRIMARY KEY,
    station_id INTEGER NOT NULL REFERENCES stations (id) ON DELETE CASCADE,
    event_id INTEGER,                  -- the station's; it may begin anew with a boot
    component TEXT,
    component_instance TEXT,
    evse_id INTEGER,
    connector_id INTEGER,
    variable TEXT,
    variable_instance TEXT,
    monitor_id INTEGER,
    severity INTEGER,                  -- of the event, or of the monitor that saw it
    trigger TEXT,                      -- Alerting, Delta, Periodic
    origin TEXT,                       -- HardWiredNotification, CustomMonitor, ...
    actual_value TEXT,
    cleared INTEGER NOT NULL,
    cause INTEGER,                     -- event_id of the one that led to this one
    station_transaction_id TEXT,
    tech_code TEXT,
    tech_info TEXT,
    reported_at INTEGER,               -- the station's clock
    received_at INTEGER NOT NULL,
    raw TEXT NOT NULL
);
CREATE INDEX monitoring_events_station ON monitoring_events (station_id, id);
CREATE INDEX monitoring_events_natural ON monitoring_events (station_id, event_id, reported_at)
    WHERE event_id IS NOT NULL AND reported_at IS NOT NULL;
