-- What charging at a location costs, with its history: a transaction is priced by what held when
-- it began. Amounts are whole millionths of the currency.

CREATE TABLE prices (
    id INTEGER PRIMARY KEY,
    location_id INTEGER NOT NULL REFERENCES locations (id) ON DELETE CASCADE,
    currency TEXT NOT NULL,            -- ISO 4217
    per_kwh_micros INTEGER NOT NULL,
    per_minute_micros INTEGER NOT NULL,
    per_session_micros INTEGER NOT NULL,
    set_at INTEGER NOT NULL,
    ended_at INTEGER                   -- null: they hold now
);
CREATE INDEX prices_location ON prices (location_id, set_at);
CREATE UNIQUE INDEX prices_present ON prices (location_id) WHERE ended_at IS NULL;
