-- When stations were connected, and which of them an operator keeps out.

CREATE TABLE connections (
    id INTEGER PRIMARY KEY,
    station_id INTEGER NOT NULL REFERENCES stations (id) ON DELETE CASCADE,
    epoch INTEGER NOT NULL,
    generation INTEGER NOT NULL,       -- of the connection, in that life of the process
    version TEXT NOT NULL,
    address TEXT NOT NULL,
    connected_at INTEGER NOT NULL,
    disconnected_at INTEGER,           -- null: it goes on
    close_code INTEGER,                -- of the websocket; null: we did not see it end
    unobserved_until INTEGER           -- the server did not run from its end until then
);
CREATE INDEX connections_station ON connections (station_id, id);
CREATE INDEX connections_open ON connections (station_id) WHERE disconnected_at IS NULL;

ALTER TABLE stations ADD COLUMN blocked_at INTEGER;  -- null: it may connect
