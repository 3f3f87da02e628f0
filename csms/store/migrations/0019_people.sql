-- People who are signed in to the page, and the chain that shows whether the audit is whole.

-- A row is a session that may be good still; one that has ended is gone.
CREATE TABLE sessions (
    id INTEGER PRIMARY KEY,
    public_id TEXT NOT NULL UNIQUE,
    hash BLOB NOT NULL UNIQUE,           -- SHA-256 of the cookie
    token_id INTEGER NOT NULL REFERENCES tokens (id) ON DELETE CASCADE,  -- whose rights it has
    created_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,         -- however much it is used
    address TEXT NOT NULL,               -- from where it was begun, and with what
    user_agent TEXT NOT NULL
);
CREATE INDEX sessions_token ON sessions (token_id, id);

-- What was written into the audit, in that order: a link for an entry, one for its result, and one
-- for the oldest entries being dropped. Each hash covers the one before it, so that nothing can be
-- changed, taken out or put in without every later hash being another.
CREATE TABLE audit_links (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    entry_id INTEGER NOT NULL,
    kind TEXT NOT NULL,                  -- entry, result; dropped: up to this entry
    content BLOB NOT NULL,               -- SHA-256 of what was written
    hash BLOB NOT NULL                   -- SHA-256 of the former link's hash and all of this
);
CREATE INDEX audit_links_entry ON audit_links (entry_id, kind);
CREATE TRIGGER audit_links_stand BEFORE UPDATE ON audit_links
BEGIN SELECT RAISE(ABORT, 'links of the audit are never changed'); END;
