"""The same wishes of a CSMS in the words of each version, and what the station made of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from csms.domain.timestamps import format_timestamp
from csms.domain.versions import OcppVersion
from tests.fleet.conftest import Bench

V16 = OcppVersion.V16


def token(text: str) -> dict[str, str]:
    return {"idToken": text, "type": "ISO14443"}


def start(bench: Bench, text: str = "ABC", connector: int | None = 1, **more: Any) -> str:
    """Ask for a transaction; the word of the answer."""
    if bench.version is V16:
        payload: dict[str, Any] = {"idTag": text, **more}
        if connector is not None:
            payload["connectorId"] = connector
        return bench.status("RemoteStartTransaction", payload)
    payload = {"idToken": token(text), "remoteStartId": 7, **more}
    if connector is not None:
        payload["evseId"] = connector
    return bench.status("RequestStartTransaction", payload)


def stop(bench: Bench, connector: int = 1) -> str:
    """Ask for the end of the transaction there."""
    tx = bench.device.connectors[connector - 1].tx
    assert tx is not None
    if bench.version is V16:
        return bench.status("RemoteStopTransaction", {"transactionId": tx.id})
    return bench.status("RequestStopTransaction", {"transactionId": tx.id})


def soft_reset(bench: Bench) -> str:
    kind = "Soft" if bench.version is V16 else "Immediate"
    return bench.status("Reset", {"type": kind})


def configure(bench: Bench, key: str, variable: tuple[str, str], value: str) -> str:
    """Write a setting by the name that the version has for it."""
    if bench.version is V16:
        return bench.status("ChangeConfiguration", {"key": key, "value": value})
    component, name = variable
    data = {
        "component": {"name": component},
        "variable": {"name": name},
        "attributeValue": value,
    }
    answer = bench.send("SetVariables", {"setVariableData": [data]})
    assert answer is not None
    return answer[2]["setVariableResult"][0]["attributeStatus"]


def make_inoperative(bench: Bench, connector: int) -> str:
    if bench.version is V16:
        payload: dict[str, Any] = {"connectorId": connector, "type": "Inoperative"}
    else:
        payload = {"evse": {"id": connector}, "operationalStatus": "Inoperative"}
    return bench.status("ChangeAvailability", payload)


def starts(bench: Bench) -> list[dict[str, Any]]:
    """The messages that began transactions."""
    if bench.version is V16:
        return bench.said("StartTransaction")
    return [one for one in bench.said("TransactionEvent") if one["eventType"] == "Started"]


def ends(bench: Bench) -> list[dict[str, Any]]:
    """The messages that ended transactions."""
    if bench.version is V16:
        return bench.said("StopTransaction")
    return [one for one in bench.said("TransactionEvent") if one["eventType"] == "Ended"]


def readings(bench: Bench) -> list[list[dict[str, Any]]]:
    """The samples of every periodic reading."""
    sent = bench.said("MeterValues" if bench.version is V16 else "TransactionEvent")
    found = [value["sampledValue"] for one in sent for value in one.get("meterValue", [])]
    return [samples for samples in found if samples[0].get("context") == "Sample.Periodic"]


def power_w(samples: list[dict[str, Any]]) -> float:
    (value,) = (one["value"] for one in samples if one["measurand"] == "Power.Active.Import")
    return float(value)


def in_s(bench: Bench, seconds: float) -> str:
    return format_timestamp(bench.clock.now() + timedelta(seconds=seconds))


def reserve(
    bench: Bench, number: int, text: str, connector: int = 1, *, seconds: float = 60
) -> str:
    if bench.version is V16:
        payload = {
            "reservationId": number,
            "idTag": text,
            "connectorId": connector,
            "expiryDate": in_s(bench, seconds),
        }
    else:
        payload = {
            "id": number,
            "idToken": token(text),
            "evseId": connector,
            "expiryDateTime": in_s(bench, seconds),
        }
    return bench.status("ReserveNow", payload)


def profile(
    bench: Bench,
    number: int,
    purpose: str,
    *periods: tuple[int, float],
    unit: str = "W",
    stack_level: int = 0,
    **more: Any,
) -> dict[str, Any]:
    """A relative profile unless `more` makes it another; purposes in the words of 2.x."""
    schedule: dict[str, Any] = {
        "chargingRateUnit": unit,
        "chargingSchedulePeriod": [{"startPeriod": at, "limit": limit} for at, limit in periods],
    }
    for name in ("startSchedule", "duration"):
        if name in more:
            schedule[name] = more.pop(name)
    shape = {
        "stackLevel": stack_level,
        "chargingProfileKind": "Relative",
        "chargingProfilePurpose": purpose,
        **more,
    }
    if bench.version is V16:
        if purpose == "ChargingStationMaxProfile":
            shape["chargingProfilePurpose"] = "ChargePointMaxProfile"
        return {"chargingProfileId": number, "chargingSchedule": schedule, **shape}
    return {"id": number, "chargingSchedule": [{"id": number, **schedule}], **shape}


def install(bench: Bench, connector: int, shape: dict[str, Any]) -> str:
    if bench.version is V16:
        payload = {"connectorId": connector, "csChargingProfiles": shape}
    else:
        payload = {"evseId": connector, "chargingProfile": shape}
    return bench.status("SetChargingProfile", payload)


def clear(bench: Bench, number: int) -> str:
    name = "id" if bench.version is V16 else "chargingProfileId"
    return bench.status("ClearChargingProfile", {name: number})


def composite(
    bench: Bench, connector: int, duration: int, unit: str = "W"
) -> list[tuple[int, float]]:
    """Periods of the composite schedule."""
    name = "connectorId" if bench.version is V16 else "evseId"
    answer = bench.send(
        "GetCompositeSchedule", {name: connector, "duration": duration, "chargingRateUnit": unit}
    )
    assert answer is not None
    assert answer[2]["status"] == "Accepted"
    schedule = answer[2]["chargingSchedule" if bench.version is V16 else "schedule"]
    return [(one["startPeriod"], one["limit"]) for one in schedule["chargingSchedulePeriod"]]


def send_list(
    bench: Bench, version: int, tokens: dict[str, str | None], *, full: bool = True
) -> str:
    """Tokens with their status; None takes one out."""
    v16 = bench.version is V16
    info = "idTagInfo" if v16 else "idTokenInfo"
    entries = [
        {"idTag" if v16 else "idToken": text if v16 else token(text)}
        | ({} if word is None else {info: {"status": word}})
        for text, word in tokens.items()
    ]
    payload = {
        "listVersion" if v16 else "versionNumber": version,
        "updateType": "Full" if full else "Differential",
        "localAuthorizationList": entries,
    }
    return bench.status("SendLocalList", payload)


def list_version(bench: Bench) -> int:
    answer = bench.send("GetLocalListVersion")
    assert answer is not None
    return answer[2]["listVersion" if bench.version is V16 else "versionNumber"]


def update_firmware(
    bench: Bench, location: str, number: int = 5, *, seconds: float = 0
) -> list[Any]:
    """The whole answer frame; 1.6 has no number for it."""
    at = in_s(bench, seconds)
    if bench.version is V16:
        payload: dict[str, Any] = {"location": location, "retrieveDate": at}
    else:
        payload = {
            "requestId": number,
            "firmware": {"location": location, "retrieveDateTime": at},
        }
    answer = bench.send("UpdateFirmware", payload)
    assert answer is not None
    return answer


def update_signed(bench: Bench, location: str, number: int = 5) -> str:
    firmware = {
        "location": location,
        "retrieveDateTime": in_s(bench, 0),
        "signingCertificate": "-----BEGIN CERTIFICATE-----",
        "signature": "c2ln",
    }
    action = "SignedUpdateFirmware" if bench.version is V16 else "UpdateFirmware"
    return bench.status(action, {"requestId": number, "firmware": firmware})


def get_log(bench: Bench, location: str, number: int = 5) -> str:
    payload = {
        "logType": "DiagnosticsLog",
        "requestId": number,
        "log": {"remoteLocation": location},
    }
    return bench.status("GetLog", payload)


def news(bench: Bench, action: str) -> list[str]:
    """The statuses told by an action."""
    return [one["status"] for one in bench.said(action)]
