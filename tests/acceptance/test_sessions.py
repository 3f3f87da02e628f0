"""Everything that can happen in the life of a station, on every version: ours and another's.

The orders are in our words, so they are the same for every version. The stations are virtual
ones, and those of the independent `ocpp` library.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from . import independent, oracle, scenario
from .background import Background
from .processes import Server, eventually

FETCHED = ["Downloading", "Downloaded"]
SINCE_2 = ["InstallRebooting"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path, CSMS_LOG__LEVEL="warning")
    made.start()
    yield made
    if not made.dead:
        made.kill()


@pytest.fixture(params=scenario.VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["virtual", "independent"])
def desk(request: pytest.FixtureRequest, server: Server, version: str) -> Iterator[Desk]:
    """For a booted station, of our fleet or of somebody else's library."""
    virtual = request.param == "virtual"
    path, made = scenario.create(
        server, scenario.make_location(server), version, 1, virtual=virtual, version=version
    )
    assert path is not None
    oracle.check_created(server, oracle.finished(server, path), made)
    identity = made.pop()
    desk = Desk(server, version, scenario.stations(server, version)[identity])
    if virtual:
        yield desk
        return
    background = Background()
    background.run(independent.live(server.url, identity, version.lower()))
    eventually(lambda: desk.rows(STATUS), what="the first status")
    yield desk
    background.stop()


class Desk:
    """Gives one station its orders and looks into the file."""

    def __init__(self, server: Server, version: str, station: str) -> None:
        self.server = server
        self.version = version
        self.station = station

    def order(self, command: str, **params: Any) -> str:
        """It has to accept; the path of the item."""
        path = f"/api/v1/stations/{self.station}/commands"
        answer = self.server.client.post(path, {"command": command, "params": params})
        assert "succeeded" == answer["state"], (command, answer)
        return f"/api/v1/jobs/{answer['id']}/items"

    def effect(self, path: str) -> Any:
        return self.server.client.get(path)["items"][0]["effect"]

    def rows(self, sql: str) -> list[sqlite3.Row]:
        """What the query finds; `?` is the station's UUID."""
        return self.server.rows(sql, self.station)

    def wait(self, sql: str, holds: Callable[[list[sqlite3.Row]], bool], what: str) -> None:
        eventually(lambda: holds(self.rows(sql)), what=what)


_STATION = "(SELECT id FROM stations WHERE uuid = ?)"
TRANSACTIONS = f"SELECT * FROM transactions WHERE station_id = {_STATION}"
SAMPLES = f"SELECT * FROM meter_values WHERE station_id = {_STATION} ORDER BY id"
STATUS = f"SELECT status FROM connectors WHERE station_id = {_STATION} AND evse_id = 1"
BOOTS = f"SELECT * FROM boots WHERE station_id = {_STATION} ORDER BY id"
PROGRESS = f"SELECT task, status FROM task_progress WHERE station_id = {_STATION} ORDER BY id"


def test_a_whole_life(server: Server, desk: Desk) -> None:
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
    start = desk.order("request_start_transaction", id_token="DRIVER", evse_id=1)
    desk.wait(TRANSACTIONS, lambda found: len(found) == 1, "a transaction")
    assert "seen" == desk.effect(start)
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
        lambda found: bool(found) and abs((found[-1]["power_w"] or 0) - 1500) < 15,
        "the limited power",
    )
    (tx,) = desk.rows(TRANSACTIONS)
    assert 11 == tx["reservation_id"]
    stop = desk.order("request_stop_transaction", transaction_id=tx["station_transaction_id"])
    desk.wait(TRANSACTIONS, lambda found: found[0]["ended_at"] is not None, "its end")
    (tx,) = desk.rows(TRANSACTIONS)
    assert "seen" == desk.effect(stop)
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
    is_v16 = desk.version == scenario.V16
    rebooting = [] if is_v16 else SINCE_2
    told = _told(desk.rows(PROGRESS), "firmware_update")
    assert [*FETCHED, "Installing", *rebooting, "Installed"] == _reported(told)
    boots = desk.rows(BOOTS)
    assert 2 == len(boots)
    assert (None if is_v16 else "FirmwareUpdate") == boots[-1]["reason"]
    (station,) = desk.rows("SELECT * FROM stations WHERE uuid = ?")
    assert "7.1" == station["firmware_version"]


def _reported(told: list[str]) -> list[str]:
    """Without the answer to the order, which opens the story unless a report overtook it."""
    assert "Accepted" not in told[1:]
    return told[told[:1] == ["Accepted"] :]


def _told(found: list[sqlite3.Row], task: str) -> list[str]:
    return [row["status"] for row in found if row["task"] == task]
