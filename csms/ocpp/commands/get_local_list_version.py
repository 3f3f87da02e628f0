"""GetLocalListVersion: which version of its list a station has."""

from __future__ import annotations

from dataclasses import dataclass

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.ocpp.commands.command import Answer, Command, Order
from csms.ocpp.fields import integer
from csms.ocpp.frames import JsonObject
from csms.services import local_lists
from csms.store.database import Tx


@dataclass(frozen=True, slots=True)
class GetLocalListVersion:
    """get_local_list_version has no parameters."""


def encode(params: GetLocalListVersion) -> Order:
    """The payload is empty in every version."""
    return Order("GetLocalListVersion", {})


def decode_v16(payload: JsonObject) -> GetLocalListVersion:
    """Nothing to read."""
    return GetLocalListVersion()


def settled(tx: Tx, station_id: int, payload: JsonObject, answer: Answer) -> None:
    """Compare it with the version that we know."""
    version = integer(answer.payload, "versionNumber")
    version = integer(answer.payload, "listVersion") if version is None else version
    if version is not None:
        local_lists.record_version(tx, station_id, version)


COMMAND = Command(
    name="get_local_list_version",
    summary="Ask which version of the local authorization list the station has",
    command_class=CommandClass.A,
    params=GetLocalListVersion,
    actions=dict.fromkeys(OcppVersion, "GetLocalListVersion"),
    encode=dict.fromkeys(OcppVersion, encode),
    decode_v16={"GetLocalListVersion": decode_v16},
    settled=settled,
)
