"""Orders to one charger in the commands dialect."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from csms.domain.permissions import Role
from csms.domain.stations import Station
from csms.domain.versions import OcppVersion
from csms.errors import CallRefused, CallTimeout
from tests.api.commands_dialect.charging import start, stop
from tests.api.live import Live

ACCEPTED = {"status": "Accepted"}


def path(station: Station, action: str) -> str:
    return f"/api/v3/chargers/{station.uuid}/actions/{action}"


async def online(live: Live, identity: str = "S1", **more: Any) -> Station:
    station = await live.station(identity, **more)
    live.hub.connect(station.id)
    live.hub.automatic = lambda call: ACCEPTED
    return station


def sent(live: Live) -> tuple[str, dict[str, Any]]:
    (call,) = live.hub.calls
    return call.action, call.payload


async def test_start_names_the_token_and_the_connector(live: Live) -> None:
    station = await online(live)
    body = {"id_token": "TAG", "connector_id": 2, "other": 1}

    assert ACCEPTED == await live.ok("POST", path(station, "start"), json=body, role="operator")
    assert sent(live) == ("RemoteStartTransaction", {"idTag": "TAG", "connectorId": 2})


async def test_start_leaves_the_connector_to_the_charger(live: Live) -> None:
    station = await online(live)
    await live.ok("POST", path(station, "start"), json={"id_token": "TAG", "connector_id": None})

    assert sent(live)[1] == {"idTag": "TAG"}


async def test_a_charger_that_says_no_is_quoted(live: Live) -> None:
    station = await online(live)
    live.hub.automatic = lambda call: {"status": "Rejected"}

    answer = await live.ok("POST", path(station, "start"), json={"id_token": "TAG"})
    assert answer == {"status": "Rejected"}


async def test_a_charger_of_a_newer_version_is_spoken_to_in_its_words(live: Live) -> None:
    station = await online(live)
    live.hub.versions[station.id] = OcppVersion.V201

    assert ACCEPTED == await live.ok("POST", path(station, "restart"))
    assert sent(live) == ("Reset", {"type": "Immediate"})


async def test_restart_ends_transactions_first(live: Live) -> None:
    station = await online(live)

    assert ACCEPTED == await live.ok("POST", path(station, "restart"), json={"any": "thing"})
    assert sent(live) == ("Reset", {"type": "Soft"})


async def test_stop_means_the_active_transaction(live: Live) -> None:
    station = await online(live)
    await stop(live, station, await start(live, station), 10)
    going_on = await start(live, station, 20)

    assert ACCEPTED == await live.ok("POST", path(station, "stop"))
    number = int(going_on.station_transaction_id)
    assert sent(live) == ("RemoteStopTransaction", {"transactionId": number})


async def test_stop_takes_either_id_of_a_transaction_that_goes_on(live: Live) -> None:
    station = await online(live)
    first, second = await start(live, station), await start(live, station, evse=2)
    numbers = [int(one.station_transaction_id) for one in (first, second)]
    for wanted in (first.id, numbers[1], str(numbers[0])):
        await live.ok("POST", path(station, "stop"), json={"transaction_id": wanted})

    asked = [call.payload["transactionId"] for call in live.hub.calls]
    assert asked == [numbers[0], numbers[1], numbers[0]]


async def test_stop_needs_one_transaction_to_stop(live: Live) -> None:
    station, other = await online(live), await online(live, "S2")
    none = await live.ok("POST", path(station, "stop"), 409)
    assert none == {"message": "The charger has no active transaction."}
    theirs = await start(live, other)
    ended = await start(live, station)
    await stop(live, station, ended, 10)
    for wanted in (theirs.id, ended.id, 0, "x"):
        body = {"transaction_id": wanted}
        answer = await live.ok("POST", path(station, "stop"), 422, json=body)
        assert list(answer["errors"]) == ["transaction_id"]
    for evse in (1, 2):
        await start(live, station, 20, evse=evse)
    several = await live.ok("POST", path(station, "stop"), 409)

    assert several == {"message": "The charger has several active transactions; name one."}
    assert live.hub.calls == []


async def test_a_limit_of_the_whole_charger_is_its_maximum(live: Live) -> None:
    station = await online(live)
    body = {"connector_id": 0, "limit": 16}

    assert ACCEPTED == await live.ok("POST", path(station, "charge-limit"), json=body)
    action, payload = sent(live)
    assert (action, payload["connectorId"]) == ("SetChargingProfile", 0)
    profile = payload["csChargingProfiles"]
    assert (profile["chargingProfilePurpose"], profile["chargingProfileKind"]) == (
        "ChargePointMaxProfile",
        "Absolute",
    )
    schedule = profile["chargingSchedule"]
    assert schedule["chargingRateUnit"] == "A"
    assert schedule["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 16.0}]
    # Long ago, whatever the charger's clock says.
    assert schedule["startSchedule"] == "2026-04-30T12:00:00.000Z"


async def test_limits_of_connectors_and_levels_do_not_replace_each_other(live: Live) -> None:
    station = await online(live)
    wanted = [(1, 0), (2, 0), (1, 3), (0, 0)]
    for connector, level in wanted:
        body = {"connector_id": connector, "limit": 6.1, "stack_level": level}
        await live.ok("POST", path(station, "charge-limit"), json=body)
    profiles = [call.payload["csChargingProfiles"] for call in live.hub.calls]

    assert [connector for connector, _ in wanted] == [
        c.payload["connectorId"] for c in live.hub.calls
    ]
    assert [level for _, level in wanted] == [profile["stackLevel"] for profile in profiles]
    assert len({profile["chargingProfileId"] for profile in profiles}) == 4
    assert profiles[0]["chargingProfilePurpose"] == "TxDefaultProfile"
    assert "startSchedule" not in profiles[0]["chargingSchedule"]


@pytest.mark.parametrize("connector", [0, 1])
@pytest.mark.parametrize("version", [OcppVersion.V201, OcppVersion.V21])
async def test_a_limit_goes_to_newer_versions_too(
    live: Live, version: OcppVersion, connector: int
) -> None:
    station = await online(live)
    live.hub.versions[station.id] = version
    body = {"connector_id": connector, "limit": 0}

    assert ACCEPTED == await live.ok("POST", path(station, "charge-limit"), json=body)
    assert sent(live)[1]["evseId"] == connector


@pytest.mark.parametrize(
    ("action", "body", "field"),
    [
        ("start", {}, "id_token"),
        ("start", {"id_token": ""}, "id_token"),
        ("start", {"id_token": "x" * 21}, "id_token"),
        ("start", {"id_token": "a\nb"}, "id_token"),
        ("start", {"id_token": "TAG", "connector_id": 0}, "connector_id"),
        ("start", {"id_token": "TAG", "connector_id": "1"}, "connector_id"),
        ("charge-limit", {"limit": 16}, "connector_id"),
        ("charge-limit", {"connector_id": -1, "limit": 16}, "connector_id"),
        ("charge-limit", {"connector_id": 1, "limit": -1}, "limit"),
        ("charge-limit", {"connector_id": 1, "limit": 16.05}, "limit"),
        ("charge-limit", {"connector_id": 1, "limit": 16, "stack_level": 1000}, "stack_level"),
    ],
)
async def test_what_cannot_be_ordered_is_refused(
    live: Live, action: str, body: dict[str, Any], field: str
) -> None:
    station = await online(live)
    answer = await live.ok("POST", path(station, action), 422, json=body)

    assert (answer["message"], list(answer["errors"])) == ("The given data was invalid.", [field])
    assert live.hub.calls == []


async def test_an_offline_charger_is_told_so(live: Live) -> None:
    station = await live.station("S1")
    answer = await live.ok("POST", path(station, "restart"), 400)

    assert answer == {"message": "The charger is offline."}


async def test_a_charger_that_does_not_answer_is_a_timeout(live: Live) -> None:
    station = await online(live)
    live.hub.automatic = lambda call: CallTimeout("no answer")
    body = {"connector_id": 1, "limit": 16}
    answer = await live.ok("POST", path(station, "charge-limit"), 504, json=body)

    assert answer == {"message": "The charger did not respond in time."}


async def test_a_charger_that_refuses_the_call_is_a_bad_gateway(live: Live) -> None:
    station = await online(live)
    live.hub.automatic = lambda call: CallRefused("NotSupported", "no profiles")
    body = {"connector_id": 1, "limit": 16}
    answer = await live.ok("POST", path(station, "charge-limit"), 502, json=body)

    assert answer == {"message": "NotSupported: no profiles"}


async def test_the_same_key_orders_once(live: Live) -> None:
    station = await online(live)
    headers = {"Idempotency-Key": "k"}
    for _ in range(2):
        await live.ok("POST", path(station, "restart"), headers=headers)

    assert len(live.hub.calls) == 1


@pytest.mark.parametrize("action", ["start", "stop", "restart", "charge-limit"])
async def test_a_viewer_orders_nothing(live: Live, action: str) -> None:
    station = await online(live)
    answer = await live.ok("POST", path(station, action), 403, json={}, role="viewer")

    assert answer == {"message": "This action is unauthorized."}


BODIES = {
    "start": {"id_token": "TAG"},
    "stop": {},
    "restart": {},
    "charge-limit": {"connector_id": 0, "limit": 16},
}


@pytest.mark.parametrize("action", BODIES)
async def test_chargers_of_other_places_look_unknown(live: Live, action: str) -> None:
    await live.location("Mine")
    await live.location("Other")
    await live.token("bound", Role.OPERATOR, 1)
    station = await online(live, location_id=2)
    more = {"json": BODIES[action], "role": "bound"}
    unknown = await live.ok("POST", f"/api/v3/chargers/no/actions/{action}", 404, **more)

    assert unknown == await live.ok("POST", path(station, action), 404, **more)
    assert live.hub.calls == []


async def test_a_socket_that_goes_before_the_answer_is_a_timeout(live: Live) -> None:
    station = await online(live)
    live.hub.automatic = None
    async with asyncio.TaskGroup() as tasks:
        asked = tasks.create_task(
            live.ok(
                "POST", path(station, "charge-limit"), 504, json={"connector_id": 0, "limit": 6}
            )
        )
        await live.hub.delivered(1)
        live.hub.drop(station.id)

    assert asked.result() == {"message": "The charger did not respond in time."}


async def test_a_charger_that_is_busy_or_not_ready_is_not_called_offline(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("csms.api.v1.commands._MARGIN_S", -29.9)
    busy, pending, stuck = [await online(live, name) for name in ("BUSY", "NEW", "STUCK")]
    live.hub.busy.add(busy.id)
    live.hub.ready -= {pending.id, stuck.id}
    late = {"message": "The charger did not respond in time."}

    for station in (busy, pending):
        assert late == await live.ok("POST", path(station, "restart"), 504)
        problem = await live.ok(
            "POST",
            f"/api/v1/stations/{station.uuid}/commands",
            409,
            json={"command": "clear_cache"},
        )
        assert (problem["code"], problem["state"]) == ("station_busy", "not_sent")
    live.hub.patience_s = 0
    assert late == await live.ok("POST", path(stuck, "restart"), 504)
    problem = await live.ok(
        "POST", f"/api/v1/stations/{stuck.uuid}/commands", 409, json={"command": "clear_cache"}
    )
    assert problem["code"] == "station_busy"
    assert problem["detail"] == (
        "Not ready in time: the station is connected, but its registration is Pending;"
        " nothing was sent."
    )
    run = await live.ok(
        "POST",
        "/api/v3/chargers/commands/bulk",
        202,
        json={"command": "ClearCache", "charger_ids": [stuck.uuid]},
    )
    done = await live.poll(
        f"/api/v3/chargers/commands/bulk/{run['data']['uuid']}",
        lambda body: body["data"]["status"] == "completed",
    )
    (result,) = done["data"]["results"]
    assert (result["status"], result["message"]) == (
        "offline",
        "the station is connected, but its registration is Pending",
    )
    assert live.hub.calls == []
