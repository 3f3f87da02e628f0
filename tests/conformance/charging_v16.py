"""The steps that the 1.6 charging cases share."""

from __future__ import annotations

from typing import Any

from tests.conformance.csms import Csms
from tests.conformance.station import Payload, Station

START_AT, STOP_AT = "2026-05-01T12:00:00.000Z", "2026-05-01T13:00:00.000Z"


async def status(station: Station, word: str, *, error: str = "NoError") -> None:
    """StatusNotification of connector 1."""
    payload = {"connectorId": 1, "errorCode": error, "status": word, "timestamp": START_AT}
    assert await station.call("StatusNotification", payload) == {}


async def authorize(station: Station, tag: str = "TAG") -> str:
    """Authorize; returns the status."""
    answer = await station.call("Authorize", {"idTag": tag})
    return str(answer["idTagInfo"]["status"])


async def start(station: Station, tag: str = "TAG", **more: Any) -> Payload:
    """StartTransaction; returns the answer."""
    payload = {"connectorId": 1, "idTag": tag, "meterStart": 1000, "timestamp": START_AT, **more}
    return await station.call("StartTransaction", payload)


async def sample(station: Station, transaction_id: int, wh: int = 1500) -> None:
    """MeterValues with the energy register."""
    value = {"value": str(wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"}
    payload = {
        "connectorId": 1,
        "transactionId": transaction_id,
        "meterValue": [{"timestamp": "2026-05-01T12:30:00.000Z", "sampledValue": [value]}],
    }
    assert await station.call("MeterValues", payload) == {}


async def stop(station: Station, transaction_id: int, **more: Any) -> Payload:
    """StopTransaction; returns the answer."""
    payload = {"transactionId": transaction_id, "meterStop": 3000, "timestamp": STOP_AT, **more}
    return await station.call("StopTransaction", payload)


async def stored(csms: Csms, station: Station) -> dict[str, Any]:
    """The one transaction of the station."""
    (transaction,) = await csms.rows(station, "transactions")
    return transaction


async def assert_whole(csms: Csms, station: Station, reason: str) -> None:
    """One transaction, ended for that reason, with the energy of `start` and `stop`."""
    transaction = await stored(csms, station)
    assert (1_000_000, 3_000_000, reason) == (
        transaction["start_register_mwh"],
        transaction["end_register_mwh"],
        transaction["stop_reason"],
    )
    assert "" == transaction["flags"]
