"""UpdateFirmware, on 1.6 also SignedUpdateFirmware: have a station install new firmware."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from annotated_types import MaxLen, MinLen

from csms.domain.jobs import CommandClass
from csms.domain.tasks import Task
from csms.domain.timestamps import format_timestamp
from csms.domain.versions import OcppVersion
from csms.errors import Invalid, NotSupportedByVersion
from csms.ocpp.commands.command import Command, Order, doc
from csms.ocpp.commands.request_ids import RequestId, request_id
from csms.ocpp.commands.task_requests import (
    Count,
    Location,
    read_params,
    read_retries,
    retries,
    shown_by_progress,
)
from csms.ocpp.frames import JsonObject


@dataclass(frozen=True, slots=True)
class UpdateFirmware:
    """Parameters of update_firmware."""

    location: Location = field(metadata=doc("the URL to download from"))
    retrieve_at: datetime = field(metadata=doc("not to be downloaded before"))
    install_at: datetime | None = field(
        default=None,
        metadata=doc("not to be installed before; unsigned firmware on OCPP 1.6 has no such time"),
    )
    signing_certificate: Annotated[str, MinLen(1), MaxLen(5500)] | None = field(
        default=None, metadata=doc("PEM of the certificate that signed it; with a signature only")
    )
    signature: Annotated[str, MinLen(1), MaxLen(800)] | None = field(
        default=None, metadata=doc("base64; with a certificate only")
    )
    retries: Count | None = field(default=None, metadata=doc("how often to try again"))
    retry_interval_s: Count | None = field(default=None, metadata=doc("how long to wait between"))
    request_id: RequestId = request_id()

    def __post_init__(self) -> None:
        if (self.signing_certificate is None) != (self.signature is None):
            raise Invalid("a certificate and a signature go together", loc=("signing_certificate",))

    @property
    def signed(self) -> bool:
        """Whether the station can check where the firmware comes from."""
        return self.signature is not None


def encode_v16(params: UpdateFirmware) -> Order:
    """Signed firmware goes out as the message of 2.x under another name."""
    if params.signed:
        return Order("SignedUpdateFirmware", _payload(params))
    if params.install_at is not None:
        raise NotSupportedByVersion("OCPP 1.6 cannot say when to install unsigned firmware")
    payload: JsonObject = {
        "location": params.location,
        "retrieveDate": format_timestamp(params.retrieve_at),
    }
    return Order("UpdateFirmware", payload | retries(params.retries, params.retry_interval_s))


def encode_v2x(params: UpdateFirmware) -> Order:
    """Signed or not."""
    return Order("UpdateFirmware", _payload(params))


def _payload(params: UpdateFirmware) -> JsonObject:
    firmware: JsonObject = {
        "location": params.location,
        "retrieveDateTime": format_timestamp(params.retrieve_at),
    }
    if params.install_at is not None:
        firmware["installDateTime"] = format_timestamp(params.install_at)
    if params.signed:
        firmware["signingCertificate"] = params.signing_certificate
        firmware["signature"] = params.signature
    payload: JsonObject = {"requestId": params.request_id, "firmware": firmware}
    return payload | retries(params.retries, params.retry_interval_s)


def decode_v16(payload: JsonObject) -> UpdateFirmware:
    """Unsigned, and without the id of a request."""
    found: UpdateFirmware = read_params(
        UpdateFirmware,
        location=payload["location"],
        retrieve_at=payload["retrieveDate"],
        **read_retries(payload),
    )
    return found


def decode_signed_v16(payload: JsonObject) -> UpdateFirmware:
    """The security extension took it from 2.x."""
    firmware = payload["firmware"]
    found: UpdateFirmware = read_params(
        UpdateFirmware,
        location=firmware["location"],
        retrieve_at=firmware["retrieveDateTime"],
        install_at=firmware.get("installDateTime"),
        signing_certificate=firmware["signingCertificate"],
        signature=firmware["signature"],
        request_id=payload["requestId"],
        **read_retries(payload),
    )
    return found


COMMAND = Command(
    name="update_firmware",
    summary="Have the station install new firmware",
    command_class=CommandClass.C,
    params=UpdateFirmware,
    actions=dict.fromkeys(OcppVersion, "UpdateFirmware"),
    encode={
        OcppVersion.V16: encode_v16,
        OcppVersion.V201: encode_v2x,
        OcppVersion.V21: encode_v2x,
    },
    decode_v16={"SignedUpdateFirmware": decode_signed_v16, "UpdateFirmware": decode_v16},
    evidence=shown_by_progress(Task.FIRMWARE_UPDATE),
    starts=Task.FIRMWARE_UPDATE,
)
