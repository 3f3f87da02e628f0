-- What is done differently for one station, and how that showed.

-- What an operator set; it goes before what the files say of its maker and model.
CREATE TABLE quirk_overrides (
    station_id INTEGER PRIMARY KEY REFERENCES stations (id) ON DELETE CASCADE,
    settings TEXT NOT NULL,            -- JSON object
    updated_at INTEGER NOT NULL
);

CREATE TABLE fired_quirks (
    station_id INTEGER NOT NULL REFERENCES stations (id) ON DELETE CASCADE,
    quirk TEXT NOT NULL,               -- id of a row of the files, or 'operator'
    detail TEXT,                       -- of the last time
    connections INTEGER NOT NULL,      -- on how many of them it fired
    first_fired_at INTEGER NOT NULL,
    last_fired_at INTEGER NOT NULL,
    PRIMARY KEY (station_id, quirk)
) WITHOUT ROWID;

-- CALLs after which a station restarted once; the next time they are withheld.
CREATE TABLE suspected_calls (
    station_id INTEGER NOT NULL REFERENCES stations (id) ON DELETE CASCADE,
    call TEXT NOT NULL,                -- an action, or an action and the keys it names
    since INTEGER NOT NULL,
    PRIMARY KEY (station_id, call)
) WITHOUT ROWID;

-- CALLs that are not sent to a station any more, because it restarted after them.
CREATE TABLE withheld_calls (
    station_id INTEGER NOT NULL REFERENCES stations (id) ON DELETE CASCADE,
    call TEXT NOT NULL,                -- an action, or an action and the keys it names
    since INTEGER NOT NULL,
    PRIMARY KEY (station_id, call)
) WITHOUT ROWID;
