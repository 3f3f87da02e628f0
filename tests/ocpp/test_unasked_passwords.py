"""Stations tell passwords nobody asked for, wherever they can; nothing that is stored has one."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
import structlog

from csms.domain.versions import OcppVersion
from csms.ocpp.directions import FROM_STATION
from tests.ocpp.conftest import Server
from tests.ocpp.corpus.payloads import full
from tests.ocpp.test_echoed_passwords import everything

SECRET = "Canary0123456789"
BOOT_OF = {
    OcppVersion.V16: {"chargePointVendor": "v", "chargePointModel": "m"},
    OcppVersion.V201: {
        "reason": "PowerUp",
        "chargingStation": {"vendorName": "v", "model": "m"},
    },
}


def betrayed(value: Any) -> Any:
    """The payload with a password in each of its objects, known to the schema or not."""
    if isinstance(value, list):
        return [betrayed(item) for item in value]
    if not isinstance(value, dict):
        return value
    made = {key: betrayed(item) for key, item in value.items()}
    return {
        **made,
        "customData": {"vendorId": "v", "AuthorizationKey": SECRET},
        "Pass_Word": SECRET,
    }


@pytest.mark.parametrize("version", list(OcppVersion))
async def test_a_surplus_field_of_any_message_is_stored_without_it(
    server: Server, version: OcppVersion
) -> None:
    station, password = await server.register("S")
    client = await server.connect("S", password, protocols=(version.subprotocol,))
    boot = BOOT_OF.get(version, BOOT_OF[OcppVersion.V201])
    await client.ask(orjson.dumps([2, "boot", "BootNotification", boot]))
    for action in sorted(FROM_STATION[version]):
        await client.send(orjson.dumps([2, action, action, betrayed(full(version, action))]))
    await client.ask(orjson.dumps([2, "end", "Heartbeat", {}]))
    content = await everything(server, station.id)
    assert "***" in content
    assert SECRET.lower() not in content


@pytest.mark.parametrize("strict", [False, True])
async def test_what_is_no_payload_is_stored_without_it(server: Server, strict: bool) -> None:
    station, client = await server.online("S")
    told = f"AuthorizationKey={SECRET}"
    if strict:
        await server.db.write(lambda tx: tx.run("UPDATE stations SET strict = 1"))
    with structlog.testing.capture_logs() as lines:
        for frame in (
            [2, told, "Heartbeat", {}],
            [2, told, "Heartbeat", {}],  # the second of one id is a finding
            [2, "1", told, {}],
            [2, "2", "Authorize", {told: 1}],
            [2, "3", "Authorize", {"idTag": {told: 1}}],
            [2, "4", "StatusNotification", {"status": told, "errorCode": told}],
            [4, told, told, told, {told: told}],
            [9, told, {}],
        ):
            await client.send(orjson.dumps(frame))
        await client.ask(orjson.dumps([2, "end", "Heartbeat", {}]))
        content = await everything(server, station.id)
    assert "***" in content
    assert SECRET.lower() not in content
    assert SECRET not in str(lines)
