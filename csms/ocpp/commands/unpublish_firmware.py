"""UnpublishFirmware: have a local controller offer firmware no longer."""

from __future__ import annotations

from dataclasses import dataclass, field

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.ocpp.commands.command import Answer, Command, doc
from csms.ocpp.commands.publish_firmware import Checksum
from csms.ocpp.commands.wire import encoder
from csms.ocpp.fields import text
from csms.ocpp.frames import JsonObject


@dataclass(frozen=True, slots=True)
class UnpublishFirmware:
    """Parameters of unpublish_firmware."""

    checksum: Checksum = field(metadata=doc("MD5 of the firmware, in hexadecimal"))


def read(payload: JsonObject) -> Answer:
    """It has a word of its own for done."""
    status = text(payload, "status")
    return Answer(status == "Unpublished", status, payload)


COMMAND = Command(
    name="unpublish_firmware",
    summary="Have a local controller offer firmware no longer",
    command_class=CommandClass.B,
    params=UnpublishFirmware,
    actions=dict.fromkeys((OcppVersion.V201, OcppVersion.V21), "UnpublishFirmware"),
    encode=dict.fromkeys((OcppVersion.V201, OcppVersion.V21), encoder("UnpublishFirmware")),
    read=read,
    gone=frozenset({"NoFirmware"}),
)
