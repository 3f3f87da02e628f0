"""What we send, what we do not send, and what we send once more."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from csms.domain.device_model import VariableKey
from csms.domain.versions import OcppVersion
from csms.errors import CallRefused, CallWithheld, Invalid
from csms.ocpp import commands
from csms.ocpp.quirks import catalog
from csms.ocpp.quirks.applied import apply
from csms.ocpp.quirks.settings import Quirks
from csms.ocpp.quirks.told import told
from csms.services import device_model
from tests.ocpp.conftest import Server
from tests.quirks.conftest import (
    HEARTBEAT,
    answering,
    call,
    fired,
    known,
    online,
    override,
)

ACCEPTED = '{"status":"Accepted"}'
REJECTED = '{"status":"Rejected"}'


def profile(
    *,
    limit: float = 16,
    unit: str = "A",
    kind: str = "Relative",
    stack_level: int = 0,
) -> dict[str, Any]:
    return {
        "chargingProfileId": 1,
        "stackLevel": stack_level,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": kind,
        "chargingSchedule": {
            "chargingRateUnit": unit,
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
        },
    }


def limits(connector: int = 1, **more: Any) -> dict[str, Any]:
    return {"connectorId": connector, "csChargingProfiles": profile(**more)}


def start(**more: Any) -> dict[str, Any]:
    return {"idTag": "T", "chargingProfile": {**profile(**more)}}


def interval(seconds: str) -> dict[str, Any]:
    return {"key": "MeterValueSampleInterval", "value": seconds}


MEASURANDS = {"key": ["HeartbeatInterval", "MeterValuesSampledData"]}
NO_MEASURANDS = {"key": "metervaluessampleddata", "value": ""}
ABB = ("ABB", "CDT_TACW11::NET_WIFI", "TAC3Z9119006710273::V1.8.21")
GRIZZL_E = ("UnitedChargers", "Grizzl-E Smart", "GWM-07.020-03_GCW-10.18-05.7")
HUAWEI = ("", "ACChargePoint", None)
WALLBOX = ("Wall Box Chargers", "PUP1-U-1-6", "6.13.3")
EVBOX = ("EV-BOX", "G4E-WBW-M7500E", None)
INNOGY = ("innogy", "eBox smart S", "1.2.3")
OPENEVSE = ("OpenEVSE", "Advanced Series", None)


def firmware(location: str) -> dict[str, Any]:
    return {"location": location, "retrieveDate": "2026-05-01T12:00:00Z"}


@pytest.mark.parametrize(
    ("make", "action", "payload", "quirk"),
    [
        (ABB, "GetConfiguration", MEASURANDS, "abb-measurands"),
        (ABB, "ChangeConfiguration", NO_MEASURANDS, "abb-measurands"),
        (GRIZZL_E, "GetConfiguration", MEASURANDS, "grizzl-e-measurands"),
        (ABB, "SetChargingProfile", limits(stack_level=1), "abb-stack-level"),
        (EVBOX, "SetChargingProfile", limits(stack_level=1), "evbox-stack-level"),
        (EVBOX, "RemoteStartTransaction", start(), "evbox-profile-in-start"),
        (HUAWEI, "SetChargingProfile", limits(unit="A"), "huawei-limits"),
        (HUAWEI, "SetChargingProfile", limits(unit="W", limit=0), "huawei-limits"),
        (WALLBOX, "SetChargingProfile", limits(kind="Absolute"), "wallbox-profiles"),
        (WALLBOX, "RemoteStartTransaction", start(), "wallbox-profiles"),
        (("NEcharge", "N1", None), "SetChargingProfile", limits(limit=11), "necharge-steps"),
        (("Easee", "Home", None), "ChangeConfiguration", interval("10"), "easee-meter-interval"),
        (INNOGY, "UpdateFirmware", firmware("HTTPS://x.example/f"), "innogy-firmware"),
        (OPENEVSE, "GetDiagnostics", {"location": "ftp://x.example/"}, "openevse-diagnostics"),
    ],
)
async def test_an_order_that_does_harm_is_not_sent(
    server: Server, make: tuple[str, str, str | None], action: str, payload: Any, quirk: str
) -> None:
    station, client = await online_at_once(server, *make)
    with pytest.raises(CallWithheld) as caught:
        await call(server, station, action, payload=payload)
    assert "#" in caught.value.description or "evcc-io/evcc" in caught.value.description
    row = await fired(server, station, quirk)
    assert row.detail is not None
    assert row.detail.startswith(action)
    assert (await client.ask(HEARTBEAT))[0] == 3


@pytest.mark.parametrize(
    ("make", "action", "payload"),
    [
        (ABB, "GetConfiguration", {"key": ["HeartbeatInterval"]}),
        (("ABB", "CDT_TACW11::NET_WIFI", "TAC3::V1.8.32"), "GetConfiguration", MEASURANDS),
        (ABB, "SetChargingProfile", limits(stack_level=0)),
        (HUAWEI, "SetChargingProfile", limits(unit="W", limit=4200)),
        (WALLBOX, "RemoteStartTransaction", {"idTag": "T"}),
        (("NEcharge", "N1", None), "SetChargingProfile", limits(limit=13)),
        (("NEcharge", "N1", None), "SetChargingProfile", limits(limit=0)),
        (("Easee", "Home", None), "ChangeConfiguration", interval("60")),
        (("Easee", "Home", None), "ChangeConfiguration", interval("0")),
        (INNOGY, "UpdateFirmware", firmware("SFTP://x.example/f")),
        (INNOGY, "GetDiagnostics", {"location": "https://x.example/"}),
        (INNOGY, "UpdateFirmware", firmware("just-a-name")),
    ],
)
async def test_what_does_no_harm_is_sent(
    server: Server, make: tuple[str, str, str | None], action: str, payload: Any
) -> None:
    station, client = await online_at_once(server, *make)
    calling = call(server, station, action, payload=payload)
    asked = await client.receive()
    assert asked[2:] == [action, payload]
    answer = ANSWERS.get(action, ACCEPTED)
    await client.send(f'[3,"{asked[1]}",{answer}]')
    await calling


ANSWERS = {"GetConfiguration": '{"configurationKey":[]}', "UpdateFirmware": "{}"}
ANSWERS["GetDiagnostics"] = '{"fileName":"log"}'


async def test_what_a_station_says_of_its_limits_counts(server: Server) -> None:
    station, password = await server.register("S")
    for key, value in {
        "SupportedFileTransferProtocols": "FTP, HTTP",
        "ChargeProfileMaxStackLevel": "3",
    }.items():
        name = VariableKey(component="v16", variable=key)
        await server.db.write(
            partial(device_model.record_value, station_id=station.id, key=name, value=value)
        )
    client = await server.connect("S", password)
    await client.ask(HEARTBEAT)
    await server.until(lambda: server.hub.is_ready(station.id))
    for action, payload in (
        ("UpdateFirmware", firmware("https://x.example/f")),
        ("GetDiagnostics", {"location": "sftp://x.example/"}),
        ("SetChargingProfile", limits(stack_level=4)),
    ):
        with pytest.raises(CallWithheld, match="the station says that it cannot"):
            await call(server, station, action, payload=payload)
    await fired(server, station, "station")
    await override(server, station, log_protocols=[])
    calling = call(server, station, "GetDiagnostics", payload={"location": "sftp://x.example/"})
    await answering(client, "{}")
    await calling


@pytest.mark.parametrize("value", ["", ",", "a b, ", "-1", "x" * 1000, "\U0001f600"])
async def test_limits_that_cannot_be_read_limit_nothing(server: Server, value: str) -> None:
    station, _ = await server.register("S")
    for key in ("SupportedFileTransferProtocols", "ChargeProfileMaxStackLevel"):
        name = VariableKey(component="v16", variable=key)
        await server.db.write(
            partial(device_model.record_value, station_id=station.id, key=name, value=value)
        )
    found = await server.db.read(lambda tx: told(tx, station.id))
    assert apply(catalog.NOBODY, (), {}, told=found).settings == Quirks()


async def online_at_once(
    server: Server, vendor: str, model: str, firmware: str | None
) -> tuple[Any, Any]:
    station, password = await known(server, vendor, model, firmware)
    await override(server, station, ready_delay_s=0, trigger_status=False)
    client = await server.connect("S", password)
    assert (await client.ask(HEARTBEAT))[0] == 3
    await server.until(lambda: server.hub.is_ready(station.id))
    return station, client


async def test_an_operator_may_send_it_all_the_same(server: Server) -> None:
    station, client = await online(server, *ABB)
    await override(server, station, deny=[])
    calling = call(server, station, "GetConfiguration", payload=MEASURANDS)
    await answering(client, '{"configurationKey":[]}')
    await calling


async def test_an_operator_may_keep_an_order_back(server: Server) -> None:
    station, _ = await server.online("S")
    await override(server, station, deny=["Reset", "TriggerMessage BootNotification"])
    with pytest.raises(CallWithheld, match="settings of this station"):
        await call(server, station, "Reset", payload={"type": "Soft"})
    await fired(server, station, "operator")


# ---- connector 0 and 1 -----------------------------------------------------------------------


async def test_keba_takes_limits_for_connector_0_only(server: Server) -> None:
    station, client = await online(server, "Keba AG", "KC-P30-ES240022-E0R", "1.18.100")
    calling = call(server, station, "SetChargingProfile", payload=limits(1))
    first = await answering(client, REJECTED)
    again = await answering(client, ACCEPTED)
    assert [first[3]["connectorId"], again[3]["connectorId"]] == [1, 0]
    assert first[3]["csChargingProfiles"] == again[3]["csChargingProfiles"]
    assert first[1] != again[1]
    assert await calling == {"status": "Accepted"}
    await fired(server, station, "keba-connector-0")


async def test_a_station_of_several_connectors_has_no_other_one(server: Server) -> None:
    station, client = await online(server, "Keba AG", "KC-M20-E0LE02-020")
    await client.ask(
        '[2,"s","StatusNotification",{"connectorId":2,"errorCode":"NoError","status":"Available"}]'
    )
    calling = call(server, station, "SetChargingProfile", payload=limits(1))
    await answering(client, REJECTED)
    assert await calling == {"status": "Rejected"}


@pytest.mark.parametrize(
    ("action", "first", "second"),
    [
        (
            "ChangeAvailability",
            {"connectorId": 0, "type": "Inoperative"},
            {"connectorId": 1, "type": "Inoperative"},
        ),
        (
            "TriggerMessage",
            {"requestedMessage": "MeterValues"},
            {"requestedMessage": "MeterValues", "connectorId": 1},
        ),
        (
            "TriggerMessage",
            {"requestedMessage": "MeterValues", "connectorId": 1},
            {"requestedMessage": "MeterValues"},
        ),
        ("RemoteStartTransaction", {"idTag": "T"}, {"idTag": "T", "connectorId": 1}),
    ],
)
async def test_a_box_of_one_connector_may_be_told_both_ways(
    server: Server, action: str, first: dict[str, Any], second: dict[str, Any]
) -> None:
    station, client = await server.online("S")
    await override(server, station, connector_fallback=[action])
    calling = call(server, station, action, payload=first)
    assert (await answering(client, REJECTED))[3] == first
    assert (await answering(client, ACCEPTED))[3] == second
    assert await calling == {"status": "Accepted"}


async def test_scheduled_is_no_refusal(server: Server) -> None:
    station, client = await server.online("S")
    await override(server, station, connector_fallback=["ChangeAvailability"])
    payload = {"connectorId": 0, "type": "Inoperative"}
    calling = call(server, station, "ChangeAvailability", payload=payload)
    await answering(client, '{"status":"Scheduled"}')
    assert await calling == {"status": "Scheduled"}


# ---- one after the other ---------------------------------------------------------------------


async def test_orders_may_need_room_between_them(server: Server) -> None:
    station, client = await server.online("S")
    await override(server, station, call_spacing_s=0.05)
    loop = asyncio.get_running_loop()
    calls = [call(server, station, "ClearCache", message_id=f"c{n}") for n in range(2)]
    await answering(client, ACCEPTED)
    answered = loop.time()
    assert not server.hub.slot_free(station.id)
    await answering(client, ACCEPTED)
    assert loop.time() - answered >= 0.05
    await asyncio.gather(*calls)
    await server.until(lambda: server.hub.slot_free(station.id))


async def test_the_room_that_fox_ess_needs_is_known(server: Server) -> None:
    station, _ = await online(server, "FoxESS", "A022KP1-E-2")
    connection = server.hub.connection(station.id)
    assert connection is not None
    assert connection.call_spacing_s == 2


async def test_messages_are_served_while_an_order_is_open(server: Server) -> None:
    station, client = await server.online("S")
    calling = call(server, station, "ClearCache")
    asked = await client.receive()
    for number in range(3):
        assert (await client.ask(f'[2,"h{number}","Heartbeat",{{}}]'))[1] == f"h{number}"
    await client.send(f'[3,"{asked[1]}",{ACCEPTED}]')
    assert await calling == {"status": "Accepted"}


async def test_the_text_of_a_refusal_reaches_the_operator(server: Server) -> None:
    station, client = await online(server, "Schneider Electric", "MONOBLOCK")
    calling = call(server, station, "SetChargingProfile", payload=limits())
    await answering(client, '"NotSupported","Load balancer is disabled",{}', kind=4)
    with pytest.raises(CallRefused) as caught:
        await calling
    assert caught.value.message == "NotSupported: Load balancer is disabled"


def test_a_value_that_is_too_long_is_refused_before_it_is_sent() -> None:
    value = ",".join(["Energy.Active.Import.Register"] * 20)
    with pytest.raises(Invalid, match="500 characters"):
        commands.raw(
            OcppVersion.V16,
            "ChangeConfiguration",
            {"key": "MeterValuesSampledData", "value": value},
        )
