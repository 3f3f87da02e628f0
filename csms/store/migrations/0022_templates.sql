-- What is thought out once and given to many stations, and which station is to get values at a boot.

CREATE TABLE templates (
    id INTEGER PRIMARY KEY,
    uuid TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,                -- config, charging_profile
    name TEXT NOT NULL COLLATE NOCASE,
    description TEXT,
    content TEXT NOT NULL,             -- JSON
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (kind, name)
);
CREATE INDEX templates_kind ON templates (kind, id);

-- One row for a station: what it was given last. The job of a round is the row's as long as it runs.
CREATE TABLE config_assignments (
    station_id INTEGER PRIMARY KEY REFERENCES stations (id) ON DELETE CASCADE,
    template_id INTEGER NOT NULL REFERENCES templates (id) ON DELETE CASCADE,
    progress TEXT NOT NULL,            -- pending, running, applied, rejected, stopped
    rounds INTEGER NOT NULL,           -- boots after which it was told in vain
    booted INTEGER NOT NULL,           -- 1: since the last round began
    job_id INTEGER REFERENCES jobs (id) ON DELETE SET NULL,
    changed_at INTEGER NOT NULL
);
CREATE INDEX config_assignments_template ON config_assignments (template_id);
CREATE INDEX config_assignments_job ON config_assignments (job_id);
CREATE INDEX config_assignments_due ON config_assignments (station_id)
    WHERE booted = 1 AND progress IN ('pending', 'running');
