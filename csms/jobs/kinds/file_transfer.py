"""Kinds `firmware_update` and `log_upload`: files to and from stations, each over its own link.

The job has the order with a link without its secret, so nothing that is stored or shown opens a
file; the secret is put in when the order goes out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from csms.clock import Clock
from csms.domain.file_transfers import FirmwareImage, TransferKind, TransferState
from csms.domain.jobs import ItemState, Job, JobItem, Lane, NewItem, Policy, Submission
from csms.domain.permissions import Principal
from csms.domain.tasks import Task
from csms.jobs.kinds import command
from csms.jobs.kinds.command import CommandRunner, Stations
from csms.jobs.port import Done, Intent, Result
from csms.ocpp.frames import JsonObject
from csms.services import file_drop
from csms.services.file_drop import FileDrop, Wanted, url_of
from csms.services.redaction import REDACTED
from csms.store import firmware_images, job_items
from csms.store.database import Database, Tx

FIRMWARE, LOG = Task.FIRMWARE_UPDATE.value, Task.LOG_UPLOAD.value
KINDS = (FIRMWARE, LOG)
# All of them download at once otherwise.
FIRMWARE_RATE_PER_MIN = 60.0


def submission(
    *,
    principal: Principal,
    targets: Iterable[NewItem],
    params: JsonObject,
    base_url: str,
    image: FirmwareImage | None = None,
    policy: Policy | None = None,
    lane: Lane = Lane.BULK,
    hidden: bool = False,
    not_before: datetime | None = None,
) -> Submission:
    """A job that orders an update to `image`, or without one a log; raises Invalid.

    `params` are those of the command update_firmware or get_log, without the location.
    """
    name = "get_log" if image is None else "update_firmware"
    shown = url_of(base_url, REDACTED, _name(image))
    made = command.submission(
        principal=principal,
        wanted=command.Wanted(name, {"location": shown, **params}),
        targets=targets,
        dialect="native",
        policy=policy,
        lane=lane,
        hidden=hidden,
        not_before=not_before,
    )
    chosen = made.policy
    if image is not None and lane is Lane.BULK and chosen.rate_per_min is None:
        chosen = replace(chosen, rate_per_min=FIRMWARE_RATE_PER_MIN)
    return replace(
        made,
        kind=LOG if image is None else FIRMWARE,
        policy=chosen,
        params={
            **made.params,
            "base_url": base_url,
            "image_id": None if image is None else image.file.uuid,
        },
    )


def runners(hub: Stations, clock: Clock, **parts: Any) -> list[FileTransferRunner]:
    """One for each of the kinds."""
    return [FileTransferRunner(hub, clock, name=name, **parts) for name in KINDS]


class FileTransferRunner(CommandRunner):
    """Runs the items: commands with a link that only the one station gets."""

    def __init__(
        self,
        hub: Stations,
        clock: Clock,
        *,
        name: str,
        db: Database,
        files: FileDrop,
        **more: Any,
    ) -> None:
        super().__init__(hub, clock, read=db.read, **more)
        self.name = name
        self._db = db
        self._files = files

    async def run(
        self, job: Job, item: JobItem, intent: Intent | None, on_sent: Callable[[], None]
    ) -> Result:
        """Make the link, durably, then order."""
        found = await self._db.write(lambda tx: self._open(tx, job, item))
        if isinstance(found, Done):
            return found
        return await super().run(_with_location(job, found), item, intent, on_sent)

    def discard(self, tx: Tx, job: Job, item: JobItem) -> int | None:
        """The link dies, unless the station may have it for all we know."""
        if job_items.first_uncertain(tx, item, before=item.attempt + 1) is None:
            file_drop.abandon(tx, job.id, item.seq, "the station did not take the order")
        return item.target

    def _open(self, tx: Tx, job: Job, item: JobItem) -> str | Done:
        """The location for the station, or why there is none to be sent."""
        assert item.target is not None
        params, image = job.params["params"], None
        if job.params["image_id"] is not None:
            image = firmware_images.find_by_uuid(tx, job.params["image_id"])
            if image is None:
                return Done(ItemState.ERROR, "image_deleted", "the firmware image was deleted")
        wanted = Wanted(
            kind=TransferKind.LOG if image is None else TransferKind.FIRMWARE,
            station_id=item.target,
            job_id=job.id,
            item_seq=item.seq,
            generation=job.generation,
            request_id=params["request_id"],
            image_id=None if image is None else image.id,
            not_before=_instant(params.get("retrieve_at")),
            deliveries=1 if image is None else 1 + params.get("retries", 0),
        )
        transfer, secret = self._files.open(tx, wanted)
        if transfer.state is TransferState.SUCCEEDED:
            return Done(ItemState.SUCCEEDED, "evidence", "no answer, but the file is there")
        return url_of(job.params["base_url"], secret, _name(image))


def _name(image: FirmwareImage | None) -> str:
    return file_drop.LOG_NAME if image is None else image.name


def _with_location(job: Job, location: str) -> Job:
    params = {**job.params["params"], "location": location}
    return replace(job, params={**job.params, "params": params})


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
