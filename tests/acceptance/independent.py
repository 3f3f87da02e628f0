"""Stations that somebody else wrote: the `ocpp` library over the `websockets` library.

The library checks every payload of ours against its own copy of the schemas.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ocpp import v16, v21, v201
from ocpp.routing import after, on
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

RECONNECT_S = 0.1
SAMPLE_S = 0.1
FULL_POWER_W = 7400.0
PER_SAMPLE_WH = 5.0


@dataclass
class Box:
    """What a station still knows after a restart."""

    firmware: str = "1.0"
    updated_by: int | None = None
    """The request that the update belongs to, until it is told as installed; 1.6 has no number."""
    local_list: set[str] = field(default_factory=set)
    reservations: dict[str, int] = field(default_factory=dict)
    """By token."""
    limit_w: float = FULL_POWER_W
    register_wh: float = 1000.0


async def live(url: str, identity: str, protocol: str) -> None:
    """Connect, boot and serve; again after every restart, until cancelled."""
    make, box = STATIONS[protocol], Box()
    while True:
        with suppress(OSError, TimeoutError, WebSocketException):
            async with connect(f"{url}/{identity}", subprotocols=[protocol]) as socket:  # type: ignore[list-item]
                await _serve(make(identity, socket, box))
        await asyncio.sleep(RECONNECT_S)


async def _serve(station: Any) -> None:
    reading = asyncio.create_task(station.start())
    try:
        await station.arrive()
        await station.leaving.wait()
    finally:
        reading.cancel()
        with suppress(asyncio.CancelledError, WebSocketException):
            await reading


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def limit_of(schedule: Any) -> float:
    return float(schedule["charging_schedule_period"][0]["limit"])


class Charging:
    """What the stations of all versions have in common; `tell_…` speak the version."""

    box: Box

    def __init__(self, identity: str, socket: Any, box: Box) -> None:
        super().__init__(identity, socket)  # type: ignore[call-arg]
        self.box = box
        self.leaving = asyncio.Event()
        self.stopping = asyncio.Event()

    async def say(self, payload: Any) -> Any:
        return await self.call(payload, suppress=False)  # type: ignore[attr-defined]

    async def charge(self) -> None:
        """Sample until somebody stops it."""
        while not self.stopping.is_set():
            self.box.register_wh += PER_SAMPLE_WH
            await self.tell_sample()
            with suppress(TimeoutError):
                async with asyncio.timeout(SAMPLE_S):
                    await self.stopping.wait()

    async def tell_sample(self) -> None:
        raise NotImplementedError


class StationV16(Charging, v16.ChargePoint):  # type: ignore[misc]
    transaction: int

    async def arrive(self) -> None:
        await self.say(
            v16.call.BootNotification(
                charge_point_model="Independent",
                charge_point_vendor="Library",
                firmware_version=self.box.firmware,
            )
        )
        await self.tell_status("Available")
        if self.box.updated_by is not None:
            self.box.updated_by = None
            await self.say(v16.call.FirmwareStatusNotification(status="Installed"))

    async def tell_status(self, status: str) -> None:
        await self.say(
            v16.call.StatusNotification(
                connector_id=1, error_code="NoError", status=status, timestamp=now()
            )
        )

    @on("ChangeConfiguration")
    def on_change_configuration(self, **_: Any) -> Any:
        return v16.call_result.ChangeConfiguration(status="Accepted")

    @on("SendLocalList")
    def on_send_local_list(self, local_authorization_list: Any, **_: Any) -> Any:
        self.box.local_list = {entry["id_tag"] for entry in local_authorization_list}
        return v16.call_result.SendLocalList(status="Accepted")

    @on("ReserveNow")
    def on_reserve_now(self, id_tag: str, reservation_id: int, **_: Any) -> Any:
        self.box.reservations[id_tag] = reservation_id
        return v16.call_result.ReserveNow(status="Accepted")

    @after("ReserveNow")
    async def after_reserve_now(self, **_: Any) -> None:
        await self.tell_status("Reserved")

    @on("RemoteStartTransaction")
    def on_remote_start(self, id_tag: str, **_: Any) -> Any:
        known = id_tag in self.box.local_list
        return v16.call_result.RemoteStartTransaction(status="Accepted" if known else "Rejected")

    @after("RemoteStartTransaction")
    async def after_remote_start(self, id_tag: str, connector_id: int, **_: Any) -> None:
        started = await self.say(
            v16.call.StartTransaction(
                connector_id=connector_id,
                id_tag=id_tag,
                meter_start=int(self.box.register_wh),
                timestamp=now(),
                reservation_id=self.box.reservations.pop(id_tag),
            )
        )
        self.transaction = started.transaction_id
        await self.tell_status("Charging")
        await self.charge()
        await self.say(
            v16.call.StopTransaction(
                meter_stop=int(self.box.register_wh),
                timestamp=now(),
                transaction_id=self.transaction,
                reason="Remote",
            )
        )
        await self.tell_status("Available")

    async def tell_sample(self) -> None:
        samples = [
            {"value": f"{self.box.register_wh}", "unit": "Wh"},
            {"value": f"{self.box.limit_w}", "measurand": "Power.Active.Import", "unit": "W"},
        ]
        await self.say(
            v16.call.MeterValues(
                connector_id=1,
                transaction_id=self.transaction,
                meter_value=[{"timestamp": now(), "sampled_value": samples}],
            )
        )

    @on("SetChargingProfile")
    def on_set_charging_profile(self, cs_charging_profiles: Any, **_: Any) -> Any:
        self.box.limit_w = limit_of(cs_charging_profiles["charging_schedule"])
        return v16.call_result.SetChargingProfile(status="Accepted")

    @on("RemoteStopTransaction")
    def on_remote_stop(self, transaction_id: int) -> Any:
        if transaction_id != self.transaction:
            return v16.call_result.RemoteStopTransaction(status="Rejected")
        self.stopping.set()
        return v16.call_result.RemoteStopTransaction(status="Accepted")

    @on("GetDiagnostics")
    def on_get_diagnostics(self, **_: Any) -> Any:
        return v16.call_result.GetDiagnostics(file_name="diagnostics.txt")

    @after("GetDiagnostics")
    async def after_get_diagnostics(self, **_: Any) -> None:
        for status in ("Uploading", "Uploaded"):
            await self.say(v16.call.DiagnosticsStatusNotification(status=status))

    @on("UpdateFirmware")
    def on_update_firmware(self, **_: Any) -> Any:
        return v16.call_result.UpdateFirmware()

    @after("UpdateFirmware")
    async def after_update_firmware(self, **_: Any) -> None:
        for status in ("Downloading", "Downloaded", "Installing"):
            await self.say(v16.call.FirmwareStatusNotification(status=status))
        self.box.firmware, self.box.updated_by = "7.1", 0
        self.leaving.set()


class ChargingV2x(Charging):
    """In the words of 2.x; `library` has those of the version."""

    library: Any
    evse = {"id": 1, "connector_id": 1}  # noqa: RUF012 - nobody changes it
    seq_no = -1

    async def arrive(self) -> None:
        updated_by, self.box.updated_by = self.box.updated_by, None
        await self.say(
            self.library.call.BootNotification(
                charging_station={
                    "model": "Independent",
                    "vendor_name": "Library",
                    "firmware_version": self.box.firmware,
                },
                reason="PowerUp" if updated_by is None else "FirmwareUpdate",
            )
        )
        await self.tell_status("Available")
        if updated_by is not None:
            await self.say(
                self.library.call.FirmwareStatusNotification(
                    status="Installed", request_id=updated_by
                )
            )

    async def tell_status(self, status: str) -> None:
        await self.say(
            self.library.call.StatusNotification(
                timestamp=now(), connector_status=status, evse_id=1, connector_id=1
            )
        )

    async def tell_transaction(self, kind: str, trigger: str, **more: Any) -> None:
        self.seq_no += 1
        info = {"transaction_id": f"of-{self.id}", **more.pop("info", {})}
        power = {
            "value": self.box.limit_w,
            "measurand": "Power.Active.Import",
            "unit_of_measure": {"unit": "W"},
        }
        samples = [{"value": self.box.register_wh}, power]
        await self.say(
            self.library.call.TransactionEvent(
                event_type=kind,
                timestamp=now(),
                trigger_reason=trigger,
                seq_no=self.seq_no,
                transaction_info=info,
                meter_value=[{"timestamp": now(), "sampled_value": samples}],
                **more,
            )
        )

    @on("SetVariables")
    def on_set_variables(self, set_variable_data: Any, **_: Any) -> Any:
        return self.library.call_result.SetVariables(
            set_variable_result=[
                {
                    "attribute_status": "Accepted",
                    "component": data["component"],
                    "variable": data["variable"],
                }
                for data in set_variable_data
            ]
        )

    @on("SendLocalList")
    def on_send_local_list(self, local_authorization_list: Any, **_: Any) -> Any:
        tokens = (entry["id_token"]["id_token"] for entry in local_authorization_list)
        self.box.local_list = set(tokens)
        return self.library.call_result.SendLocalList(status="Accepted")

    @on("ReserveNow")
    def on_reserve_now(self, id: int, id_token: Any, **_: Any) -> Any:  # noqa: A002
        self.box.reservations[id_token["id_token"]] = id
        return self.library.call_result.ReserveNow(status="Accepted")

    @after("ReserveNow")
    async def after_reserve_now(self, **_: Any) -> None:
        await self.tell_status("Reserved")

    @on("RequestStartTransaction")
    def on_request_start(self, id_token: Any, **_: Any) -> Any:
        known = id_token["id_token"] in self.box.local_list
        return self.library.call_result.RequestStartTransaction(
            status="Accepted" if known else "Rejected"
        )

    @after("RequestStartTransaction")
    async def after_request_start(self, id_token: Any, remote_start_id: int, **_: Any) -> None:
        await self.tell_transaction(
            "Started",
            "RemoteStart",
            info={"charging_state": "Charging", "remote_start_id": remote_start_id},
            evse=self.evse,
            id_token=id_token,
            reservation_id=self.box.reservations.pop(id_token["id_token"]),
        )
        await self.tell_status("Occupied")
        await self.charge()
        stopped = {"charging_state": "Idle", "stopped_reason": "Remote"}
        await self.tell_transaction("Ended", "RemoteStop", info=stopped)
        await self.tell_status("Available")

    async def tell_sample(self) -> None:
        await self.tell_transaction("Updated", "MeterValuePeriodic")

    @on("SetChargingProfile")
    def on_set_charging_profile(self, charging_profile: Any, **_: Any) -> Any:
        self.box.limit_w = limit_of(charging_profile["charging_schedule"][0])
        return self.library.call_result.SetChargingProfile(status="Accepted")

    @on("RequestStopTransaction")
    def on_request_stop(self, transaction_id: str, **_: Any) -> Any:
        if transaction_id != f"of-{self.id}":
            return self.library.call_result.RequestStopTransaction(status="Rejected")
        self.stopping.set()
        return self.library.call_result.RequestStopTransaction(status="Accepted")

    @on("GetLog")
    def on_get_log(self, **_: Any) -> Any:
        return self.library.call_result.GetLog(status="Accepted", filename="log.txt")

    @after("GetLog")
    async def after_get_log(self, request_id: int, **_: Any) -> None:
        for status in ("Uploading", "Uploaded"):
            await self.say(
                self.library.call.LogStatusNotification(status=status, request_id=request_id)
            )

    @on("UpdateFirmware")
    def on_update_firmware(self, **_: Any) -> Any:
        return self.library.call_result.UpdateFirmware(status="Accepted")

    @after("UpdateFirmware")
    async def after_update_firmware(self, request_id: int, **_: Any) -> None:
        for status in ("Downloading", "Downloaded", "Installing", "InstallRebooting"):
            await self.say(
                self.library.call.FirmwareStatusNotification(status=status, request_id=request_id)
            )
        self.box.firmware, self.box.updated_by = "7.1", request_id
        self.leaving.set()


class StationV201(ChargingV2x, v201.ChargePoint):  # type: ignore[misc]
    library = v201


class StationV21(ChargingV2x, v21.ChargePoint):  # type: ignore[misc]
    library = v21


STATIONS: dict[str, Any] = {
    "ocpp1.6": StationV16,
    "ocpp2.0.1": StationV201,
    "ocpp2.1": StationV21,
}
