"""The invariants of the job engine, judged by what the stations saw and by the file on disk."""

from __future__ import annotations

from collections import Counter
from typing import Any

from .processes import FleetProcess, Server, eventually

ONE_SHOT = ("Reset",)
_COLUMNS = {
    "succeeded": "succeeded",
    "rejected": "rejected",
    "error": "errored",
    "unknown": "unknown",
    "offline": "offline",
    "expired": "expired",
    "cancelled": "cancelled",
    "skipped_forbidden": "skipped",
}


def finished(server: Server, path: str, *, timeout_s: float = 120.0) -> dict[str, Any]:
    """Poll a run or a create job until it is over, across restarts."""
    seen: list[str] = []

    def over() -> dict[str, Any] | None:
        assert not server.dead, server.log.read_text()[-3000:]
        answer = server.try_get(path)
        if answer is None:
            return None
        body = answer.get("data", answer)
        seen.append(body["status"])
        return body if body["status"] in {"completed", "READY", "FAILED"} else None

    body = eventually(over, timeout_s=timeout_s, what=f"{path} to end; saw {seen[-3:]}")
    in_order = [status for status in seen if status != "PENDING"]
    assert "PENDING" not in seen[len(seen) - len(in_order) :], "a status went backwards"
    return body


def check_file(server: Server) -> None:
    """The stopped server's file: counters equal rows, one end a job, every item final."""
    assert "ok" == server.rows("PRAGMA integrity_check")[0][0]
    for job in server.rows("SELECT * FROM jobs"):
        states = Counter(
            row["state"]
            for row in server.rows("SELECT state FROM job_items WHERE job_id = ?", job["id"])
        )
        assert job["total"] == states.total()
        assert {_COLUMNS[state]: count for state, count in states.items()} == {
            column: job[column] for column in _COLUMNS.values() if job[column]
        }
        assert 0 == job["open"]
        ends = server.rows(
            "SELECT type FROM events WHERE job_id = ?"
            " AND type IN ('job.done', 'job.cancelled', 'job.failed')",
            job["id"],
        )
        assert 1 == len(ends) or job["hidden"]
    windows = server.rows("SELECT count(*) FROM job_items WHERE window_open = 1")
    assert 0 == windows[0][0]


def check_deliveries(server: Server, fleet: FleetProcess) -> None:
    """No one-shot command twice, no delivery without an intent, no `sent` without a delivery."""
    intents = {
        row["message_id"]: row
        for row in server.rows(
            "SELECT a.*, i.key, i.state, j.params FROM job_attempts a"
            " JOIN job_items i ON i.job_id = a.job_id AND i.seq = a.seq"
            " JOIN jobs j ON j.id = a.job_id WHERE a.message_id IS NOT NULL"
        )
    }
    delivered = {
        line["frame"][1]: line["frame"][2]
        for line in fleet.read()
        if line["dir"] == "in" and line["frame"][0] == 2
    }
    strangers = {
        message_id: action
        for message_id, action in delivered.items()
        if message_id not in intents and action != "TriggerMessage"
    }
    assert {} == strangers, "delivered without an intent"
    for action in ONE_SHOT:
        times = Counter(
            (intents[message_id]["job_id"], intents[message_id]["seq"])
            for message_id, seen in delivered.items()
            if seen == action
        )
        assert [] == [item for item, number in times.items() if number > 1], f"{action} twice"
    answered = {
        (row["job_id"], row["seq"])
        for message_id, row in intents.items()
        if message_id in delivered
    }
    for row in intents.values():
        if row["state"] == "succeeded":
            assert (row["job_id"], row["seq"]) in answered, "sent, but no station saw it"


def check_unknown(server: Server) -> None:
    """Every unknown item has an intent and no recorded answer."""
    for item in server.rows("SELECT * FROM job_items WHERE state = 'unknown'"):
        attempts = server.rows(
            "SELECT * FROM job_attempts WHERE job_id = ? AND seq = ?", item["job_id"], item["seq"]
        )
        assert attempts
        assert item["response"] is None


def check_created(server: Server, job: dict[str, Any], identities: set[str]) -> None:
    """Exactly the requested stations exist, once each, and none is in doubt."""
    made = [entry["identity"] for entry in job["results"]["created"]]
    assert sorted(identities) == sorted(made)
    rows = server.rows("SELECT identity FROM stations WHERE deleted_at IS NULL")
    assert Counter(made) == Counter(
        row["identity"] for row in rows if row["identity"] in identities
    )


def check_versions(fleet: FleetProcess, versions: dict[str, str]) -> None:
    """Commands in the words of 1.6 reached stations of every version, each in its own words."""
    reached = {
        (versions[line["identity"]], line["frame"][2])
        for line in fleet.read()
        if line["dir"] == "in" and line["frame"][0] == 2
    }
    for version in set(versions.values()):
        writes = "ChangeConfiguration" if version == "OCPP1.6" else "SetVariables"
        assert {(version, "Reset"), (version, writes)} <= reached
