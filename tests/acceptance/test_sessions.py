"""Everything that can happen in the life of a virtual station, on all three versions at once.

The orders are in our words, so they are the same for every version.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from . import oracle, scenario
from .processes import Server, eventually

FETCHED = ["Accepted", "Downloading", "Downloaded"]
SINCE_2 = ["InstallRebooting"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path, CSMS_LOG__LEVEL="warning")
    made.start()
    yield made
    if not made.dead:
        made.kill()


@pytest.fixture
def stations(server: Server) -> dict[str, str]:
    """Public ids of booted virtual stations, by version."""
    location = scenario.make_location(server)
    found = {}
    for version in scenario.VERSIONS:
        path, made = scenario.create(server, location, version, 1, virtual=True, version=version)
        assert path is not None
        oracle.check_created(server, oracle.finished(server, path), made)
        found[version] = scenario.stations(server, version)[made.pop()]
    return found


class Desk:
    """Gives every station the same orders and looks into the file."""

    def __init__(self, server: Server, stations: dict[str, str]) -> None:
        self.server = server
        self.stations = stations

    def order(self, command: str, **params: Any) -> None:
        """To all; each has to accept."""
        for version in self.stations:
            self.order_one(version, command, **params)

    def order_one(self, version: str, command: str, **params: Any) -> None:
        path = f"/api/v1/stations/{self.stations[version]}/commands"
        answer = self.server.client.post(path, {"command": command, "params": params})
        assert "succeeded" == answer["state"], (version, command, answer)

    def rows(self, sql: str) -> dict[str, list[sqlite3.Row]]:
        """What the query finds for each version; `?` is the station's UUID."""
        return {
            version: self.server.rows(sql, station) for version, station in self.stations.items()
        }

    def wait(self, sql: str, holds: Callable[[list[sqlite3.Row]], bool], what: str) -> None:
        eventually(lambda: all(holds(found) for found in self.rows(sql).values()), what=what)


_STATION = "(SELECT id FROM stations WHERE uuid = ?)"
TRANSACTIONS = f"SELECT * FROM transactions WHERE station_id = {_STATION}"
SAMPLES = f"SELECT * FROM meter_values WHERE station_id = {_STATION} ORDER BY id"
STATUS = f"SELECT status FROM connectors WHERE station_id = {_STATION} AND evse_id = 1"
BOOTS = f"SELECT * FROM boots WHERE station_id = {_STATION} ORDER BY id"
PROGRESS = f"SELECT task, status FROM task_progress WHERE station_id = {_STATION} ORDER BY id"


def test_a_whole_life_on_every_version(server: Server, stations: dict[str, str]) -> None:
    desk = Desk(server, stations)
    _reserve(desk)
    _charge_with_a_limit(desk)
    _keep_up(desk)
    assert 0 == server.stop()
    oracle.check_file(server)


def _reserve(desk: Desk) -> None:
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    entries = [{"id_token": "DRIVER", "status": "Accepted"}]
    desk.order("send_local_list", version_number=3, update_type="Full", entries=entries)
    desk.order("reserve_now", reservation_id=11, expires_at=until, id_token="DRIVER", evse_id=1)
    desk.wait(STATUS, lambda found: found[0]["status"] == "Reserved", "the reserved status")


def _charge_with_a_limit(desk: Desk) -> None:
    interval = {"component": "SampledDataCtrlr", "variable": "TxUpdatedInterval", "value": "1"}
    desk.order("set_variables", variables=[interval])
    desk.order("request_start_transaction", id_token="DRIVER", evse_id=1)
    desk.wait(TRANSACTIONS, lambda found: len(found) == 1, "a transaction")
    profile = {
        "id": 1,
        "stack_level": 0,
        "purpose": "TxDefaultProfile",
        "kind": "Relative",
        "schedules": [
            {"rate_unit": "W", "periods": [{"start_period_s": 0, "limit": 1500.0}]},
        ],
    }
    desk.order("set_charging_profile", charging_profile=profile, evse_id=1)
    desk.wait(
        SAMPLES,
        lambda found: bool(found) and abs(found[-1]["power_w"] - 1500) < 15,
        "the limited power",
    )
    for version, (tx,) in desk.rows(TRANSACTIONS).items():
        assert 11 == tx["reservation_id"]
        desk.order_one(
            version, "request_stop_transaction", transaction_id=tx["station_transaction_id"]
        )
    desk.wait(TRANSACTIONS, lambda found: found[0]["ended_at"] is not None, "its end")
    for (tx,) in desk.rows(TRANSACTIONS).values():
        assert "Remote" == tx["stop_reason"]
        assert "" == tx["flags"]
        assert tx["end_register_mwh"] > tx["start_register_mwh"]
    desk.wait(STATUS, lambda found: found[0]["status"] == "Available", "the car to leave")


def _keep_up(desk: Desk) -> None:
    desk.order("get_log", location="https://files.example/logs")
    desk.wait(PROGRESS, lambda found: _told(found, "log_upload")[-1:] == ["Uploaded"], "a log")
    desk.order(
        "update_firmware",
        location="https://files.example/virtual-7.1.bin",
        retrieve_at=datetime.now(UTC).isoformat(),
    )
    desk.wait(
        PROGRESS, lambda found: _told(found, "firmware_update")[-1:] == ["Installed"], "firmware"
    )
    for version, found in desk.rows(PROGRESS).items():
        rebooting = [] if version == scenario.V16 else SINCE_2
        told = _told(found, "firmware_update")
        assert [*FETCHED, "Installing", *rebooting, "Installed"] == told
    for version, boots in desk.rows(BOOTS).items():
        assert 2 == len(boots)
        expected = None if version == scenario.V16 else "FirmwareUpdate"
        assert expected == boots[-1]["reason"]
    versions = [row["firmware_version"] for row in _stations(desk)]
    assert ["7.1"] * 3 == versions


def _told(found: list[sqlite3.Row], task: str) -> list[str]:
    return [row["status"] for row in found if row["task"] == task]


def _stations(desk: Desk) -> list[sqlite3.Row]:
    return desk.server.rows("SELECT * FROM stations")
