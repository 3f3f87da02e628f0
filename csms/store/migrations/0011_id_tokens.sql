-- Id tokens as people keep them: named outside, with further spellings, and who is a master.

ALTER TABLE id_tokens ADD COLUMN uuid TEXT;
ALTER TABLE id_tokens ADD COLUMN is_master INTEGER NOT NULL DEFAULT 0;
ALTER TABLE id_tokens ADD COLUMN max_open_transactions INTEGER;  -- null: as the server's setting says
ALTER TABLE id_tokens ADD COLUMN note TEXT;
ALTER TABLE id_tokens ADD COLUMN last_station_id INTEGER REFERENCES stations (id) ON DELETE SET NULL;
-- Without what stations put between the bytes of a card; unknown tokens are compared by it.
ALTER TABLE id_tokens ADD COLUMN plain TEXT GENERATED ALWAYS AS (
    replace(replace(replace(replace(key, ' ', ''), ':', ''), '-', ''), '.', '')
) VIRTUAL;

UPDATE id_tokens SET uuid = lower(
    hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2)
    || '-8' || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))
);
CREATE UNIQUE INDEX id_tokens_uuid ON id_tokens (uuid);
CREATE INDEX id_tokens_plain ON id_tokens (plain) WHERE status <> 'Unknown';
CREATE INDEX id_tokens_review ON id_tokens (id) WHERE status = 'Unknown';
CREATE INDEX id_tokens_group ON id_tokens (group_key, status, is_master)
    WHERE group_key IS NOT NULL;

CREATE TABLE id_token_aliases (
    id_token_id INTEGER NOT NULL REFERENCES id_tokens (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    value TEXT NOT NULL,
    key TEXT NOT NULL,                 -- trimmed, case folded
    PRIMARY KEY (id_token_id, key)
) WITHOUT ROWID;
CREATE INDEX id_token_aliases_key ON id_token_aliases (key);
