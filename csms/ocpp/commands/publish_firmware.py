"""PublishFirmware: have a local controller offer firmware to the stations behind it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import MaxLen, MinLen

from csms.domain.jobs import CommandClass
from csms.domain.tasks import Task
from csms.domain.versions import OcppVersion
from csms.ocpp.commands.command import Command, doc
from csms.ocpp.commands.request_ids import RequestId, request_id
from csms.ocpp.commands.task_requests import Count, Location, shown_by_progress
from csms.ocpp.commands.wire import encoder

Checksum = Annotated[str, MinLen(1), MaxLen(32)]


@dataclass(frozen=True, slots=True)
class PublishFirmware:
    """Parameters of publish_firmware."""

    location: Location = field(metadata=doc("the URL to download from"))
    checksum: Checksum = field(metadata=doc("MD5 of the firmware, in hexadecimal"))
    retries: Count | None = field(default=None, metadata=doc("how often to try again"))
    retry_interval_s: Count | None = field(default=None, metadata=doc("how long to wait between"))
    request_id: RequestId = request_id()


COMMAND = Command(
    name="publish_firmware",
    summary="Have a local controller offer firmware to its stations",
    command_class=CommandClass.C,
    params=PublishFirmware,
    actions=dict.fromkeys((OcppVersion.V201, OcppVersion.V21), "PublishFirmware"),
    encode=dict.fromkeys((OcppVersion.V201, OcppVersion.V21), encoder("PublishFirmware")),
    evidence=shown_by_progress(Task.FIRMWARE_PUBLICATION),
    starts=Task.FIRMWARE_PUBLICATION,
)
