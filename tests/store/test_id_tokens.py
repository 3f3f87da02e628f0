"""Id tokens of older files get what newer ones are born with."""

from __future__ import annotations

import sqlite3
import uuid

from csms.store import migrate


def test_tokens_of_an_older_file_get_names(tmp_path, monkeypatch):
    connection = sqlite3.connect(tmp_path / "file", isolation_level=None)
    steps = migrate.migrations()
    monkeypatch.setattr(migrate, "migrations", lambda: [one for one in steps if one[0] < 11])
    migrate.migrate(connection)
    connection.executemany(
        "INSERT INTO id_tokens (value, key, status, first_seen_at, last_seen_at)"
        " VALUES (?, ?, 'Accepted', 1, 1)",
        [("04:A1 B2", "04:a1 b2"), ("X-1.2", "x-1.2")],
    )
    monkeypatch.setattr(migrate, "migrations", lambda: steps)
    migrate.migrate(connection)

    rows = connection.execute("SELECT uuid, plain, is_master FROM id_tokens ORDER BY id").fetchall()
    connection.close()
    assert [row[1:] for row in rows] == [("04a1b2", 0), ("x12", 0)]
    assert [str(uuid.UUID(row[0], version=4)) for row in rows] == [row[0] for row in rows]
    assert rows[0][0] != rows[1][0]
