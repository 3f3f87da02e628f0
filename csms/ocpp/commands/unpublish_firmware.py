"""UnpublishFirmware: have a local controller offer firmware no longer."""

from __future__ import annotations

from dataclasses import dataclass, field

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.ocpp.commands.command import Command, also_accepts, doc
from csms.ocpp.commands.publish_firmware import Checksum
from csms.ocpp.commands.wire import encoder


@dataclass(frozen=True, slots=True)
class UnpublishFirmware:
    """Parameters of unpublish_firmware."""

    checksum: Checksum = field(metadata=doc("MD5 of the firmware, in hexadecimal"))


COMMAND = Command(
    name="unpublish_firmware",
    summary="Have a local controller offer firmware no longer",
    command_class=CommandClass.B,
    params=UnpublishFirmware,
    actions=dict.fromkeys((OcppVersion.V201, OcppVersion.V21), "UnpublishFirmware"),
    encode=dict.fromkeys((OcppVersion.V201, OcppVersion.V21), encoder("UnpublishFirmware")),
    read=also_accepts("Unpublished"),
    gone=frozenset({"NoFirmware"}),
)
