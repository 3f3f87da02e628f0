"""What happens at virtual chargers on demand."""

from __future__ import annotations

from typing import Any

import pytest

from csms.api.chargers_dialect.happenings import FaultAnswer
from csms.api.chargers_dialect.queued import QueuedCommand, QueuedCommands
from csms.domain.permissions import Role
from csms.domain.versions import OcppVersion
from csms.fleet import happenings
from csms.fleet.connector import Connector
from csms.fleet.speech import ConnectorState, Token
from tests.api.chargers_dialect.conftest import Fleet
from tests.api.live import Live
from tests.fleet.conftest import Bench

EVENTS: dict[str, dict[str, Any]] = {
    "plug-connector": {},
    "authorize-id-tag": {"id_tag": "CARD"},
    "ev-requests-energy": {},
    "ev-stops-energy": {},
    "power-update": {"power_w": 1000},
    "proxy-message": {"action": "Heartbeat"},
    "inject-fault": {"fault_type": "GroundFailure"},
    "clear-fault": {},
}
SINGLE = ("proxy-message", "inject-fault", "clear-fault")


async def happen(
    live: Live, slug: str, target: dict[str, Any], *, status: int = 202, **event: Any
) -> Any:
    body = {"target": target, "event": {**EVENTS[slug], **event}}
    return await live.ok("POST", f"/ocpp/commands/{slug}", status, json=body)


def charging(bench: Bench, number: int = 1) -> Connector:
    bench.device.let(lambda device: happenings.start(device, number, Token("CARD")))
    bench.settle()
    return bench.device.connectors[number - 1]


@pytest.mark.parametrize("slug", EVENTS)
async def test_a_physical_charger_cannot_do_it(live: Live, table: Fleet, slug: str) -> None:
    station = await live.station("S1")
    live.hub.connect(station.id)
    answer = await happen(live, slug, {"charger_id": station.uuid}, status=422)
    assert answer["detail"][0]["msg"] == (
        "Only a virtual charger can do this, and this one is physical"
    )
    assert answer["detail"][0]["loc"] == ["body", "target", "charger_id"]


@pytest.mark.parametrize("slug", EVENTS)
async def test_who_may_not_see_or_do_it(live: Live, table: Fleet, slug: str) -> None:
    station, _ = await table.station("V1")
    await live.location()
    await live.token("bound", Role.OPERATOR, 1)
    body = {"target": {"charger_id": station.uuid}, "event": EVENTS[slug]}
    path = f"/ocpp/commands/{slug}"
    await live.ok("POST", path, 403, json=body, role="viewer")
    await live.ok("POST", path, 404, json=body, role="bound")


@pytest.mark.parametrize("slug", SINGLE)
async def test_one_that_does_not_run_is_a_conflict(live: Live, table: Fleet, slug: str) -> None:
    station = await live.station("V1", virtual=True)
    answer = await happen(live, slug, {"charger_id": station.uuid}, status=409)
    assert answer == {"detail": "The charger is offline."}
    await happen(live, slug, {"location_id": "x"}, status=422)


async def test_those_of_a_location_each_on_its_own(live: Live, table: Fleet) -> None:
    place = await live.location()
    _, bench = await table.station("V1", location_id=1)
    await live.station("AWAY", virtual=True, location_id=1)
    await live.station("REAL", location_id=1)
    answer = await happen(live, "authorize-id-tag", {"location_id": place["id"]})

    QueuedCommands.model_validate(answer)
    assert [one["identity"] for one in answer["results"]] == ["V1"]
    assert [one["identity"] for one in answer["failed"]] == ["AWAY", "REAL"]
    assert bench.said("Authorize") == [{"idTag": "CARD"}]


async def test_a_car_is_plugged_in(live: Live, table: Fleet) -> None:
    station, bench = await table.station("V1")
    target = {"charger_id": station.uuid}
    answer = await happen(live, "plug-connector", target, connector_id=2)
    assert answer["results"][0]["command"]["payload"] == {"connector_id": 2}
    assert bench.statuses(2) == ["Preparing"]
    answer = await happen(live, "plug-connector", target, connector_id=9)
    assert answer["failed"] == [{"identity": "V1", "error": "It has no connector 9"}]


async def test_energy_flows_as_it_is_asked_for(live: Live, table: Fleet) -> None:
    station, bench = await table.station("V1")
    target = {"charger_id": station.uuid}
    answer = await happen(live, "ev-stops-energy", target)
    assert answer["failed"] == [{"identity": "V1", "error": "No car is charging"}]
    connector = charging(bench)
    await happen(live, "ev-stops-energy", target)
    assert connector.state is ConnectorState.SUSPENDED_EV
    await happen(live, "power-update", target, power_w=1500.5)
    bench.wait(60)
    assert connector.state is ConnectorState.CHARGING
    assert connector.read().power_w < 1502
    await happen(live, "ev-requests-energy", target)
    bench.wait(60)
    assert connector.read().power_w > 1502
    await happen(live, "power-update", target, status=422, power_w=-1)


@pytest.mark.parametrize(
    ("version", "event", "at"),
    [
        (OcppVersion.V16, {"connector_id": 2}, (2, 2)),
        (OcppVersion.V16, {"connector_id": 2, "evse_id": 1}, (2, 2)),
        (OcppVersion.V201, {"connector_id": 1, "evse_id": 2}, (2, 1)),
        (OcppVersion.V21, {}, (1, 1)),
    ],
)
async def test_a_fault_comes_and_goes(
    live: Live, table: Fleet, version: OcppVersion, event: Any, at: tuple[int, int]
) -> None:
    station, bench = await table.station("V1", version)
    target = {"charger_id": station.uuid}
    broken = await happen(live, "inject-fault", target, **event)
    FaultAnswer.model_validate(broken)
    assert broken == {
        "msg": "The connector is faulted.",
        "fault_type": "GroundFailure",
        "evse_id": at[0],
        "connector_id": at[1],
        "status": "Faulted",
    }
    repaired = await happen(live, "clear-fault", target)
    assert repaired == {
        **broken,
        "msg": "The fault is cleared.",
        "status": "Available",
    }
    assert bench.statuses(at[0]) == ["Faulted", "Available"]
    assert (await happen(live, "clear-fault", target))["msg"] == "There was no fault."


async def test_any_message_is_said(live: Live, table: Fleet) -> None:
    station, bench = await table.station("V1")
    target = {"charger_id": station.uuid}
    more = {"action": "DataTransfer", "payload": {"vendorId": "x"}, "ocpp_version": "OCPP1.6"}
    answer = await happen(live, "proxy-message", target, **more)
    QueuedCommand.model_validate(answer)
    assert answer == {
        "id": answer["id"],
        "event_type": "proxy-message",
        "ocpp_version": "OCPP1.6",
        "payload": {"vendorId": "x"},
    }
    assert bench.said("DataTransfer") == [{"vendorId": "x"}]
    more["ocpp_version"] = "OCPP2.1"
    answer = await happen(live, "proxy-message", target, status=422, **more)
    assert answer["detail"][0]["loc"] == ["body", "event", "ocpp_version"]
