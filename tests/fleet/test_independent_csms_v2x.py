"""Whole sessions in OCPP 2.0.1 and 2.1 against the `ocpp` library, which checks every frame."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import ocpp.v21.call
import ocpp.v21.call_result
import ocpp.v201.call
import ocpp.v201.call_result
import pytest
from ocpp.routing import on

from csms.domain.versions import OcppVersion
from csms.fleet.backoff import Backoff
from csms.fleet.manager import Fleet
from csms.fleet.spec import StationSpec
from tests.fleet.test_independent_csms import DEADLINE_S, Heard, central_system

TOKEN = {"id_token": "TAG1", "type": "ISO14443"}
LIBRARIES: dict[OcppVersion, ModuleType] = {
    OcppVersion.V201: ocpp.v201,
    OcppVersion.V21: ocpp.v21,
}


def now() -> str:
    return datetime.now(UTC).isoformat()


def system_class(library: ModuleType) -> Any:
    """A central system as the library's users write it; it refuses what breaks the schema."""
    result = library.call_result

    class CentralSystem(library.ChargePoint):
        def __init__(self, identity: str, connection: Any, heard: Heard) -> None:
            super().__init__(identity, connection)
            self.heard = heard

        @on("BootNotification")
        def on_boot(self, **payload: Any) -> Any:
            self.heard.note("boot", payload)
            return result.BootNotification(now(), 300, "Accepted")

        @on("StatusNotification")
        def on_status(self, **payload: Any) -> Any:
            self.heard.note("status", payload)
            return result.StatusNotification()

        @on("Heartbeat")
        def on_heartbeat(self, **payload: Any) -> Any:
            return result.Heartbeat(now())

        @on("Authorize")
        def on_authorize(self, **payload: Any) -> Any:
            self.heard.note("authorize", payload)
            return result.Authorize({"status": "Accepted"})

        @on("TransactionEvent")
        def on_transaction_event(self, **payload: Any) -> Any:
            self.heard.note(payload["event_type"], payload)
            return result.TransactionEvent()

        @on("NotifyReport")
        def on_notify_report(self, **payload: Any) -> Any:
            self.heard.note("report", payload)
            return result.NotifyReport()

        @on("FirmwareStatusNotification")
        def on_firmware_status(self, **payload: Any) -> Any:
            self.heard.note(f"firmware {payload['status']}", payload)
            return result.FirmwareStatusNotification()

        @on("LogStatusNotification")
        def on_log_status(self, **payload: Any) -> Any:
            self.heard.note(f"log {payload['status']}", payload)
            return result.LogStatusNotification()

    return CentralSystem


@pytest.fixture(params=LIBRARIES, ids=lambda version: version.value)
async def station(request) -> AsyncIterator[tuple[Any, Heard, Any]]:
    """The library's module for commands, what it heard, and its end of a booted station."""
    library = LIBRARIES[request.param]
    async with (
        central_system(system_class(library), request.param.subprotocol) as (url, heard),
        Fleet(backoff=Backoff(first_s=0.05, cap_s=0.2)) as fleet,
    ):
        spec = StationSpec(
            identity="CS1",
            url=url,
            version=request.param,
            reboot_s=0.1,
            step_s=0.1,
            configuration={"MeterValueSampleInterval": "1"},
        )
        fleet.start(spec)
        assert await fleet.wait_booted(spec.identity, DEADLINE_S)
        await heard.wait("status")
        yield library.call, heard, heard.systems[-1]


async def test_a_whole_session(station):
    call, heard, system = station
    reserved = await system.call(
        call.ReserveNow(
            id=11,
            expiry_date_time=(datetime.now(UTC) + timedelta(hours=1)).isoformat(),
            id_token=TOKEN,
            evse_id=1,
        )
    )
    assert reserved.status == "Accepted"
    assert (await heard.wait("status", 2))["connector_status"] == "Reserved"

    started = await system.call(
        call.RequestStartTransaction(id_token=TOKEN, remote_start_id=1, evse_id=1)
    )
    assert started.status == "Accepted"
    first = await heard.wait("Started")
    assert (first["seq_no"], first["reservation_id"]) == (0, 11)
    limited = await system.call(call.SetChargingProfile(evse_id=1, charging_profile=profile()))
    assert limited.status == "Accepted"
    updated = await heard.wait("Updated", 4)
    transaction_id = first["transaction_info"]["transaction_id"]
    assert updated["transaction_info"]["transaction_id"] == transaction_id

    stopped = await system.call(call.RequestStopTransaction(transaction_id=transaction_id))
    assert stopped.status == "Accepted"
    assert (await heard.wait("Ended"))["transaction_info"]["stopped_reason"] == "Remote"
    assert (await system.call(call.Reset(type="Immediate"))).status == "Accepted"
    assert (await heard.wait("boot", 2))["reason"] == "RemoteReset"


def profile() -> dict[str, Any]:
    schedule = {
        "id": 1,
        "charging_rate_unit": "W",
        "charging_schedule_period": [{"start_period": 0, "limit": 2000.0}],
    }
    return {
        "id": 1,
        "stack_level": 0,
        "charging_profile_purpose": "TxProfile",
        "charging_profile_kind": "Relative",
        "charging_schedule": [schedule],
    }


async def test_maintenance(station):
    call, heard, system = station
    answer = await system.call(
        call.SendLocalList(
            version_number=4,
            update_type="Full",
            local_authorization_list=[{"id_token": TOKEN, "id_token_info": {"status": "Accepted"}}],
        )
    )
    assert answer.status == "Accepted"
    assert (await system.call(call.GetLocalListVersion())).version_number == 4

    report = call.GetBaseReport(request_id=1, report_base="FullInventory")
    assert (await system.call(report)).status == "Accepted"
    while (await heard.wait("report"))["tbc"]:
        await heard.wait("report", len(heard.all("report")) + 1)

    log = {"remote_location": "https://files.example/up"}
    uploading = call.GetLog(log=log, log_type="SecurityLog", request_id=2)
    assert (await system.call(uploading)).status == "Accepted"
    assert (await heard.wait("log Uploaded"))["request_id"] == 2

    firmware = {"location": "https://files.example/9.0.bin", "retrieve_date_time": now()}
    update = call.UpdateFirmware(request_id=3, firmware=firmware)
    assert (await system.call(update)).status == "Accepted"
    boot = await heard.wait("boot", 2)
    assert (boot["reason"], boot["charging_station"]["firmware_version"]) == (
        "FirmwareUpdate",
        "9.0",
    )
    assert (await heard.wait("firmware Installed"))["request_id"] == 3
