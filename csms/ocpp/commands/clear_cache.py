"""ClearCache: forget every authorization the station remembers."""

from __future__ import annotations

from dataclasses import dataclass

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.ocpp.commands.command import Command, Order
from csms.ocpp.frames import JsonObject


@dataclass(frozen=True, slots=True)
class ClearCache:
    """clear_cache has no parameters."""


def encode(params: ClearCache) -> Order:
    """The payload is empty in every version."""
    return Order("ClearCache", {})


def decode_v16(payload: JsonObject) -> ClearCache:
    """Nothing to read."""
    return ClearCache()


COMMAND = Command(
    name="clear_cache",
    summary="Clear the station's authorization cache",
    command_class=CommandClass.A,
    params=ClearCache,
    actions=dict.fromkeys(OcppVersion, "ClearCache"),
    encode=dict.fromkeys(OcppVersion, encode),
    decode_v16={"ClearCache": decode_v16},
)
