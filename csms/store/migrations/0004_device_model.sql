-- What a station says about itself: reports in parts, its device model, its monitors.

CREATE TABLE reports (
    id INTEGER PRIMARY KEY,
    station_id INTEGER NOT NULL REFERENCES stations (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,                -- variables, monitors, customer_information, ...
    request_id INTEGER NOT NULL,       -- ours as a rule; some stations report unasked
    requested_at INTEGER,              -- when the station accepted our request
    request TEXT,                      -- JSON payload of that request
    complete INTEGER NOT NULL DEFAULT 0,
    last_activity_at INTEGER NOT NULL  -- of the request or the newest part
);
CREATE INDEX reports_station ON reports (station_id, id);
CREATE INDEX reports_request ON reports (station_id, kind, request_id, id);

CREATE TABLE report_parts (
    report_id INTEGER NOT NULL REFERENCES reports (id) ON DELETE CASCADE,
    seq_no INTEGER NOT NULL,           -- the station's, or the order of arrival where it has none
    last INTEGER NOT NULL,             -- 1: not to be continued
    generated_at INTEGER,              -- the station's clock
    received_at INTEGER NOT NULL,
    raw TEXT NOT NULL,
    PRIMARY KEY (report_id, seq_no)
);

-- Names are compared without ASCII case (OCPP 2.0.1 part 2, identifierString; 1.6 CiString).
-- '' and 0 stand for "none", because NULLs never collide.
CREATE TABLE variables (
    id INTEGER PRIMARY KEY,
    station_id INTEGER NOT NULL REFERENCES stations (id) ON DELETE CASCADE,
    component TEXT NOT NULL COLLATE NOCASE,          -- v16: the configuration keys of OCPP 1.6
    component_instance TEXT NOT NULL COLLATE NOCASE,
    evse_id INTEGER NOT NULL,
    connector_id INTEGER NOT NULL,
    variable TEXT NOT NULL COLLATE NOCASE,
    variable_instance TEXT NOT NULL COLLATE NOCASE,
    -- VariableCharacteristics, null until a report has told them
    unit TEXT,
    data_type TEXT,
    min_limit REAL,
    max_limit REAL,
    max_elements INTEGER,
    values_list TEXT,
    supports_monitoring INTEGER,
    UNIQUE (station_id, component, component_instance, evse_id, connector_id, variable,
            variable_instance)
);
CREATE INDEX variables_station ON variables (station_id, id);

CREATE TABLE variable_attributes (
    variable_id INTEGER NOT NULL REFERENCES variables (id) ON DELETE CASCADE,
    type TEXT NOT NULL,                -- Actual, Target, MinSet, MaxSet
    value TEXT,                        -- null: none, not told, or a secret
    mutability TEXT,                   -- null until a report has told it
    persistent INTEGER,
    constant INTEGER,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (variable_id, type)
) WITHOUT ROWID;

CREATE TABLE variable_monitors (
    station_id INTEGER NOT NULL REFERENCES stations (id) ON DELETE CASCADE,
    monitor_id INTEGER NOT NULL,       -- the station's
    variable_id INTEGER NOT NULL REFERENCES variables (id) ON DELETE CASCADE,
    type TEXT NOT NULL,                -- UpperThreshold, Delta, Periodic, ...
    value REAL,
    severity INTEGER,                  -- 0 danger to 9 debug
    in_transaction INTEGER NOT NULL,   -- 1: watches during transactions only
    origin TEXT,                       -- HardWiredMonitor, PreconfiguredMonitor, CustomMonitor
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (station_id, monitor_id)
) WITHOUT ROWID;
CREATE INDEX variable_monitors_variable ON variable_monitors (variable_id);
