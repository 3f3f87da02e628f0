"""What stations are told about files: the bodies that one order and a job of many share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AwareDatetime, Field

from csms.api import peers
from csms.api.models import Strict
from csms.api.routing import Call
from csms.domain.file_transfers import FirmwareImage
from csms.domain.jobs import Lane, NewItem, Policy, Submission
from csms.domain.timestamps import format_timestamp
from csms.jobs.kinds import file_transfer
from csms.ocpp.commands.get_log import LogType
from csms.services.file_drop import base_url
from csms.store import firmware_images


class FileSpec(Strict):
    """How often to try."""

    retries: int = Field(
        default=3,
        ge=0,
        le=10,
        description="How often the station may try again; its link bears it.",
    )
    retry_interval_s: int | None = Field(
        default=None, ge=0, le=86_400, description="How long it waits between."
    )


class FirmwareUpdateSpec(FileSpec):
    """What to install, and when."""

    image_id: str = Field(max_length=60)
    retrieve_at: AwareDatetime | None = Field(default=None, description="Left out: at once.")
    install_at: AwareDatetime | None = Field(
        default=None, description="Unsigned firmware on OCPP 1.6 has no such time."
    )


class LogUploadSpec(FileSpec):
    """Which log."""

    log_type: Annotated[LogType, Field(strict=False)] = LogType.DIAGNOSTICS
    oldest_at: AwareDatetime | None = None
    latest_at: AwareDatetime | None = None


async def submission(
    call: Call[Any, Any],
    spec: FirmwareUpdateSpec | LogUploadSpec,
    items: Sequence[NewItem],
    policy: Policy,
    *,
    lane: Lane = Lane.BULK,
) -> Submission:
    """The job; interactive ones are hidden. Raises NotFound for an image that is not there."""
    deps, image = call.deps, None
    params = _params(spec)
    if isinstance(spec, FirmwareUpdateSpec):
        image = await deps.db.read(lambda tx: firmware_images.get_by_uuid(tx, spec.image_id))
        params.setdefault("retrieve_at", format_timestamp(deps.clock.now()))
        params |= _signed(image)
    asked_at = f"{call.request.scheme}://{peers.authority_of(call.request)}"
    return file_transfer.submission(
        principal=call.principal,
        targets=items,
        params=params,
        base_url=base_url(deps.files.settings, deps.settings.external_url, asked_at),
        image=image,
        policy=policy,
        lane=lane,
        hidden=lane is Lane.INTERACTIVE,
    )


def _params(spec: FileSpec) -> dict[str, Any]:
    given = spec.model_dump(exclude_none=True, exclude={"image_id", "timeout_s"})
    return {
        name: format_timestamp(value) if name.endswith("_at") else value
        for name, value in given.items()
    }


def _signed(image: FirmwareImage) -> dict[str, Any]:
    if not image.signed:
        return {}
    return {"signing_certificate": image.signing_certificate, "signature": image.signature}
