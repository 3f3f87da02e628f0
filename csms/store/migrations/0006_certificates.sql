-- Certificates: what stations asked us to have signed, and what they say is installed.

CREATE TABLE certificate_requests (
    id INTEGER PRIMARY KEY,
    uuid TEXT NOT NULL UNIQUE,
    station_id INTEGER NOT NULL REFERENCES stations (id) ON DELETE CASCADE,
    use TEXT NOT NULL,                 -- ChargingStationCertificate, V2GCertificate, ...
    state TEXT NOT NULL,               -- refused, pending, signed, installed, declined, ...
    reason TEXT,                       -- why refused, failed or declined
    csr TEXT NOT NULL,                 -- PEM as checked; as received when it was refused
    common_name TEXT,
    key TEXT,                          -- kind and size
    public_key BLOB,                   -- DER; null when refused
    station_request_id INTEGER,        -- OCPP 2.1
    root TEXT,                         -- JSON hash data of the CA to use, OCPP 2.1
    chain TEXT,                        -- PEM, the station's certificate first
    expires_at INTEGER,                -- of that certificate
    job_uuid TEXT,                     -- sends the chain to the station
    requested_at INTEGER NOT NULL,
    signed_at INTEGER,
    settled_at INTEGER                 -- when the station took or declined it
);
CREATE INDEX certificate_requests_station ON certificate_requests (station_id, id);
-- One at a time for a station and a purpose: a new one supersedes the old.
CREATE UNIQUE INDEX certificate_requests_open ON certificate_requests (station_id, use)
    WHERE state = 'pending' OR state = 'signed';

-- What GetInstalledCertificateIds said last.
CREATE TABLE installed_certificates (
    station_id INTEGER NOT NULL REFERENCES stations (id) ON DELETE CASCADE,
    type TEXT NOT NULL,                -- the words of OCPP 2.x
    hash_algorithm TEXT NOT NULL,
    issuer_name_hash TEXT NOT NULL,
    issuer_key_hash TEXT NOT NULL,
    serial_number TEXT NOT NULL,
    parent_serial_number TEXT,         -- of the chain's first certificate, for the others of it
    reported_at INTEGER NOT NULL
);
CREATE INDEX installed_certificates_station ON installed_certificates (station_id);
