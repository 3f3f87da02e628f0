"""ClearCache: forget every authorization the station remembers."""

from __future__ import annotations

from dataclasses import dataclass

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.ocpp.commands.command import Command, Order


@dataclass(frozen=True, slots=True)
class ClearCache:
    """clear_cache has no parameters."""


def encode_v16(params: ClearCache) -> Order:
    """The payload is empty."""
    return Order("ClearCache", {})


COMMAND = Command(
    name="clear_cache",
    summary="Clear the station's authorization cache",
    command_class=CommandClass.A,
    params=ClearCache,
    actions={OcppVersion.V16: "ClearCache"},
    encode={OcppVersion.V16: encode_v16},
)
