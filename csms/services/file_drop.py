"""Links over which one station fetches or sends one file, and what becomes of it.

The secret of a link is derived from the instance key, so that neither the journal nor the database
has it; what the station is told is struck out of logs by its prefix.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import quote

import structlog

from csms.clock import Clock, to_micros
from csms.domain.file_transfers import (
    IDLE,
    KIND_OF,
    LINK_PREFIX,
    Fetch,
    FirmwareImage,
    LogFile,
    StoredFile,
    Transfer,
    TransferKind,
    TransferState,
    state_after,
)
from csms.domain.tasks import Progress
from csms.errors import Conflict, CsmsError, NotFound
from csms.services import station_events
from csms.services.file_store import FileStore, Incoming
from csms.store import file_transfers, firmware_images, log_files, stations
from csms.store.database import Database, ReadTx, Tx

log = structlog.get_logger(__name__)

FIRMWARE, LOGS = "firmware", "logs"
"""The folders of the store."""
PATH = "/files/"
LOG_NAME = "log"
"""The last part of a link for a log; a station that knows a better name appends or replaces it."""
_SECRET_DIGITS = 40  # 160 bit
_TRANSFERS_KEPT = timedelta(days=180)
_CHUNK = 100
_EXPIRE_EVERY_S = 60.0
_PRUNE_EVERY_S = 3600.0


@dataclass(frozen=True, slots=True)
class FileDropSettings:
    """As plain values; the config fills them."""

    url: str = ""
    """Where stations reach /files; empty: as they are told elsewhere."""
    firmware_limit_bytes: int = 1024**3
    log_limit_bytes: int = 256 * 1024**2
    link_lifetime_s: float = 86_400.0
    logs_kept_days: int = 30
    logs_kept_bytes: int = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an item of a job needs a link for."""

    kind: TransferKind
    station_id: int
    job_id: int
    item_seq: int
    generation: int
    """Of the job: a retry by a person makes another link."""
    request_id: int | None
    image_id: int | None = None
    not_before: datetime | None = None
    deliveries: int = 1


class FileDrop:
    """Makes links, serves those who have them, and keeps the house of files."""

    def __init__(
        self,
        *,
        db: Database,
        clock: Clock,
        store: FileStore,
        instance_key: bytes,
        settings: FileDropSettings,
    ) -> None:
        self.store = store
        self.settings = settings
        self._db = db
        self._clock = clock
        self._instance_key = instance_key

    # ---- links -------------------------------------------------------------------------------

    def open(self, tx: Tx, wanted: Wanted) -> tuple[Transfer, str]:
        """The transfer of an item and the secret of its link; the same at every attempt."""
        known = file_transfers.find_of_item(tx, wanted.job_id, wanted.item_seq)
        public_id = file_transfers.new_public_id() if known is None else known.uuid
        secret = self._secret(public_id, wanted.generation)
        begins = max(self._clock.now(), wanted.not_before or self._clock.now())
        expires_at = begins + timedelta(seconds=self.settings.link_lifetime_s)
        if known is None:
            made = file_transfers.insert(
                tx,
                kind=wanted.kind,
                station_id=wanted.station_id,
                item=(wanted.job_id, wanted.item_seq),
                image_id=wanted.image_id,
                request_id=wanted.request_id,
                link_hash=_digest(secret),
                expires_at=expires_at,
                deliveries_left=wanted.deliveries,
                public_id=public_id,
            )
            return made, secret
        changes: dict[str, object] = {"expires_at": to_micros(expires_at)}
        if file_transfers.find_by_link(tx, _digest(secret)) is None:  # a retry by a person
            changes |= {
                "link_hash": _digest(secret),
                "state": TransferState.REQUESTED.value,
                "station_status": None,
                "reason": None,
                "closed_at": None,
                "deliveries_left": wanted.deliveries,
            }
        return file_transfers.update(tx, known.id, **changes), secret

    def find(self, tx: ReadTx, secret: str, kind: TransferKind) -> Transfer:
        """The transfer behind a link that works now; raises NotFound, whatever is wrong with it."""
        found = file_transfers.find_by_link(tx, _digest(secret))
        if found is None or found.kind is not kind or not found.is_open(self._clock.now()):
            raise NotFound("Not found")
        station = stations.find(tx, found.station_id)
        if station is None or station.blocked_at is not None:
            raise NotFound("Not found")
        return found

    def _secret(self, public_id: str, number: int) -> str:
        about = f"file-link {public_id} {number}".encode()
        return LINK_PREFIX + hmac.digest(self._instance_key, about, "sha256").hex()[:_SECRET_DIGITS]

    # ---- what comes and goes -----------------------------------------------------------------

    async def deliver(self, transfer: Transfer) -> None:
        """To be called before the file's last byte goes; raises Conflict when it may not."""
        if not await self._db.write(lambda tx: file_transfers.take_delivery(tx, transfer.id)):
            raise Conflict("The link is used up")

    async def fetched(self, transfer: Transfer, fetch: Fetch, *, delivers: bool) -> None:
        """Note who fetched what; one that failed at the last byte costs no delivery."""
        given_back = int(delivers and not fetch.complete)

        def record(tx: Tx) -> None:
            file_transfers.record_fetch(tx, transfer.id, fetch, given_back=given_back)

        try:
            await self._db.write(record)
        except CsmsError as error:
            log.warning("fetch not recorded", transfer=transfer.uuid, reason=error.code)

    async def add_image(
        self, incoming: Incoming, insert: Callable[[Tx, StoredFile], FirmwareImage]
    ) -> FirmwareImage:
        """Keep an uploaded image and its row, or neither."""
        file = await self.store.keep(incoming, FIRMWARE)
        try:
            return await self._db.write(lambda tx: insert(tx, file))
        except CsmsError:
            await self.store.remove(FIRMWARE, file.uuid)
            raise

    async def take_log(
        self,
        transfer: Transfer,
        incoming: Incoming,
        *,
        name: str,
        media_type: str | None,
        address: str | None,
    ) -> LogFile:
        """Keep what a station sent; the link is used up by it. Raises Conflict when it was."""

        def insert(tx: Tx, file: StoredFile) -> LogFile:
            now = file_transfers.get(tx, transfer.id)
            if now.deliveries_left < 1:
                raise Conflict("The file is here already")
            made = log_files.insert(
                tx,
                file,
                transfer_id=transfer.id,
                station_id=transfer.station_id,
                name=name,
                media_type=media_type,
                address=address,
            )
            _change(
                tx,
                now,
                TransferState.SUCCEEDED,
                reason=None,
                deliveries_left=now.deliveries_left - 1,
            )
            station_events.emit(
                tx,
                transfer.station_id,
                "log_file.received",
                log_file_id=file.uuid,
                transfer_id=transfer.uuid,
                name=name,
                size_bytes=file.size_bytes,
            )
            return made

        file = await self.store.keep(incoming, LOGS)
        try:
            return await self._db.write(lambda tx: insert(tx, file))
        except CsmsError:
            await self.store.remove(LOGS, file.uuid)
            raise

    async def delete_image(self, tx_delete: Callable[[Tx], FirmwareImage]) -> None:
        """The row first, then the file: the other way round a crash would leave half an image."""
        image = await self._db.write(tx_delete)
        await self.store.remove(FIRMWARE, image.file.uuid)

    async def delete_log(self, tx_delete: Callable[[Tx], LogFile]) -> None:
        """As `delete_image`."""
        found = await self._db.write(tx_delete)
        await self.store.remove(LOGS, found.file.uuid)

    # ---- housekeeping ------------------------------------------------------------------------

    async def sweep(self) -> None:
        """At start: delete what a crash left without a row."""
        for folder, list_files in (
            (FIRMWARE, firmware_images.list_files),
            (LOGS, log_files.list_files),
        ):
            known = await self._db.read(list_files)
            removed = await self.store.sweep(folder, known)
            if removed:
                log.info("files without a row deleted", folder=folder, files=removed)

    async def keep_house(self) -> None:
        """Give up what never came each minute, delete what is old each hour; until cancelled."""
        until_prune_s = 0.0
        while True:
            try:
                await self.expire()
                if until_prune_s <= 0:
                    until_prune_s = _PRUNE_EVERY_S
                    await self.prune()
            except CsmsError as error:
                log.warning("files are not looked after", reason=error.code)
            await asyncio.sleep(_EXPIRE_EVERY_S)
            until_prune_s -= _EXPIRE_EVERY_S

    async def expire(self) -> None:
        """Transfers whose link is dead and to which nothing can come any more have failed."""
        while await self._db.write(_expire):
            continue

    async def prune(self) -> None:
        """Delete log files that are too old or too many, and the oldest transfers."""
        settings = self.settings
        before = to_micros(self._clock.now() - timedelta(days=settings.logs_kept_days))
        while surplus := await self._db.read(
            lambda tx: log_files.list_surplus(
                tx, before=before, keep_bytes=settings.logs_kept_bytes, limit=_CHUNK
            )
        ):
            for one in surplus:
                await self._db.write(partial(log_files.delete, log_file_id=one.id))
                await self.store.remove(LOGS, one.file.uuid)
        kept_since = to_micros(self._clock.now() - _TRANSFERS_KEPT)
        while await self._db.write(
            lambda tx: file_transfers.delete_old(tx, before=kept_since, limit=_CHUNK)
        ):
            continue


def url_of(base: str, secret: str, name: str) -> str:
    """The link. A station that appends a file name of its own gets there, too."""
    return f"{base.rstrip('/')}{PATH}{secret}/{quote(name)}"


def base_url(settings: FileDropSettings, external_url: str, asked_at: str) -> str:
    """Where stations reach the files: by the settings, else as the caller reached us."""
    if settings.url:
        return settings.url
    if external_url:
        scheme, _, rest = external_url.partition("://")
        return f"{'https' if scheme == 'wss' else 'http'}://{rest.partition('/')[0]}"
    return asked_at


def follow(tx: Tx, station_id: int, progress: Progress) -> None:
    """A station told how far it is: so is the transfer that it means."""
    kind = KIND_OF.get(progress.task)
    if kind is None or progress.status == IDLE or not progress.status:
        return
    found = file_transfers.find_told(tx, station_id, kind, progress.request_id)
    if found is None:
        return
    state, reason = state_after(progress.status), None
    if kind is TransferKind.LOG:
        arrived = bool(log_files.list_of_transfers(tx, [found.id]))
        if arrived:  # whatever it says of it
            state = TransferState.SUCCEEDED
        elif state is TransferState.SUCCEEDED:
            state, reason = TransferState.FAILED, "it says that it sent the file; none came"
    changes: dict[str, object] = {"station_status": progress.status[:50], "reason": reason}
    if kind is TransferKind.FIRMWARE and state is TransferState.SUCCEEDED:
        changes["closed_at"] = tx.now
    _change(tx, found, state, **changes)


def abandon(tx: Tx, job_id: int, item_seq: int, reason: str) -> None:
    """The order certainly came to nothing: the link dies."""
    found = file_transfers.find_of_item(tx, job_id, item_seq)
    if found is not None and found.state is not TransferState.SUCCEEDED:
        _change(tx, found, TransferState.FAILED, reason=reason, closed_at=tx.now)


def _expire(tx: Tx) -> int:
    expired = file_transfers.list_expired(tx, limit=_CHUNK)
    for one in expired:
        _change(tx, one, TransferState.FAILED, reason="nothing came before the link expired")
    return len(expired)


def _change(tx: Tx, before: Transfer, state: TransferState, **changes: object) -> None:
    after = file_transfers.update(tx, before.id, state=state.value, **changes)
    if (after.state, after.station_status) == (before.state, before.station_status):
        return
    station_events.emit(
        tx,
        after.station_id,
        "file_transfer.changed",
        transfer_id=after.uuid,
        kind=after.kind.value,
        state=after.state.value,
        status=after.station_status,
        reason=after.reason,
    )


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()
