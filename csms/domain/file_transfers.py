"""Files that stations fetch from us and send to us, and how far such a transfer is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from types import MappingProxyType

from csms.domain.tasks import Task

LINK_PREFIX = "csmsf_"
"""How the secret part of every link begins, by which it is known and struck out of texts."""
LONGEST_NAME = 100


class TransferKind(str, Enum):
    """Which way the file goes."""

    FIRMWARE = "firmware"
    LOG = "log"


class TransferState(str, Enum):
    """Where a transfer stands."""

    REQUESTED = "requested"
    """The order goes out, or its outcome is not known."""
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """A station may try again, and then it runs again."""


KIND_OF = MappingProxyType(
    {Task.FIRMWARE_UPDATE: TransferKind.FIRMWARE, Task.LOG_UPLOAD: TransferKind.LOG}
)
IDLE = "Idle"
# FirmwareStatusEnumType, UploadLogStatusEnumType and the words that answer the orders.
_SUCCESS = frozenset({"Installed", "Uploaded"})
_FAILURE = frozenset(
    {
        "BadMessage",
        "DownloadFailed",
        "InstallVerificationFailed",
        "InstallationFailed",
        "InvalidCertificate",
        "InvalidSignature",
        "NotSupportedOperation",
        "PermissionDenied",
        "Rejected",
        "RevokedCertificate",
        "UploadFailure",
    }
)


def state_after(status: str) -> TransferState:
    """What a station's word means; one that is not known says that it is at work."""
    if status in _SUCCESS:
        return TransferState.SUCCEEDED
    return TransferState.FAILED if status in _FAILURE else TransferState.RUNNING


@dataclass(frozen=True, slots=True)
class StoredFile:
    """What is known of a file's content."""

    uuid: str
    """Its name on disk, which is never one from outside."""
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class FirmwareImage:
    """Firmware that an operator uploaded."""

    id: int
    file: StoredFile
    name: str
    version: str | None
    vendor: str | None
    model: str | None
    note: str | None
    signing_certificate: str | None
    signature: str | None
    created_by: str
    created_at: datetime

    @property
    def signed(self) -> bool:
        """Whether stations can check where it comes from."""
        return self.signing_certificate is not None and self.signature is not None


@dataclass(frozen=True, slots=True)
class Transfer:
    """One file on its way between us and a station."""

    id: int
    uuid: str
    kind: TransferKind
    station_id: int
    job_id: int | None
    item_seq: int
    image_id: int | None
    request_id: int | None
    state: TransferState
    station_status: str | None
    """What the station said last."""
    reason: str | None
    """Why it failed, when the station's word does not say it."""
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    closed_at: datetime | None
    """Since when the link is dead before its time."""
    deliveries_left: int
    """How often the whole file may still be fetched or sent."""
    fetches: int
    bytes_sent: int

    @property
    def told_to_the_end(self) -> bool:
        """Whether the station has said that all went well; a failure may be tried again."""
        return self.station_status in _SUCCESS

    def is_open(self, now: datetime) -> bool:
        """Whether the link works."""
        return self.closed_at is None and self.deliveries_left > 0 and now < self.expires_at


@dataclass(frozen=True, slots=True)
class Fetch:
    """One request for a file of ours."""

    at: datetime
    address: str | None
    user_agent: str | None
    first_byte: int
    bytes_sent: int
    complete: bool
    """Whether it went on to the file's last byte."""


@dataclass(frozen=True, slots=True)
class LogFile:
    """A file that a station sent."""

    id: int
    file: StoredFile
    transfer_id: int
    station_id: int
    name: str
    media_type: str | None
    address: str | None
    received_at: datetime


_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def safe_name(given: str | None, otherwise: str) -> str:
    """The last part of a path as a plain file name, for people and URLs and never for the disk."""
    last = re.split(r"[/\\]", given or "")[-1]
    cleaned = _UNSAFE.sub("_", last).strip("._")[-LONGEST_NAME:].strip("._")
    return cleaned or otherwise
