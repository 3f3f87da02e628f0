-- Words of the operator's own by which stations are found, and the stations of orders to many.

ALTER TABLE stations ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';   -- JSON array of texts

-- Of entries that are about several; no references, as with the entries.
CREATE TABLE audit_targets (
    entry_id INTEGER NOT NULL,
    station_id INTEGER NOT NULL,
    PRIMARY KEY (entry_id, station_id)
) WITHOUT ROWID;
CREATE INDEX audit_targets_station ON audit_targets (station_id, entry_id);
