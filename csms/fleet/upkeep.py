"""Firmware updates and log uploads of a virtual station: the steps and the time they take.

A virtual station speaks with its CSMS only: from there it fetches, and there it sends. With any
other address it only does as if; one that no station could use fails as it would on a real one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Protocol
from urllib.parse import urlsplit

from csms.clock import Clock
from csms.fleet.spec import StationSpec
from csms.fleet.speech import BootReason, Speech, StopCause

_SCHEMES = frozenset({"ftp", "ftps", "http", "https", "sftp"})
_FETCHED = frozenset({"Downloaded", "SignatureVerified", "InstallScheduled"})
_VERSION = re.compile(r"\d+(?:\.\d+)+")


Carry = Callable[[str, bytes | None, Callable[[bool], None]], bool]
"""Fetch the file at an address, or send this one there, and then tell whether it went well.

False: it is not an address of the CSMS, and nothing is told."""


class Station(Protocol):
    """What is kept up."""

    spec: StationSpec
    clock: Clock
    firmware: str
    carry: Carry

    @property
    def speech(self) -> Speech:
        """How it speaks."""
        ...

    @property
    def busy(self) -> bool:
        """Whether a transaction runs."""
        ...

    def wake_after(self, what: str, delay_s: float) -> None:
        """Call `go_on` of the `firmware` or the `log` after the delay."""
        ...

    def once_idle(self, then: Callable[[], None]) -> None:
        """Let nobody start any more, and act when no transaction runs."""
        ...

    def readmit(self) -> None:
        """Let transactions start again."""
        ...

    def reset(self, cause: StopCause, reason: BootReason) -> None:
        """Restart."""
        ...


class FirmwareUpdate:
    """The update under way, if there is one (1.6 5.19, 2.x L01)."""

    __slots__ = (
        "_begun",
        "_install_at",
        "_location",
        "_signed",
        "_station",
        "request_id",
        "status",
    )

    def __init__(self, station: Station) -> None:
        self._station = station
        self.status = "Idle"
        """What was said last."""
        self.request_id: int | None = None
        self._location = ""
        self._signed = False
        self._install_at: datetime | None = None
        self._begun = 0

    @property
    def running(self) -> bool:
        """Whether it has neither ended nor failed."""
        return self.status not in {"Idle", "Installed", "DownloadFailed", "InstallationFailed"}

    def begin(
        self,
        location: str,
        *,
        request_id: int | None,
        retrieve_at: datetime | None,
        install_at: datetime | None = None,
        signed: bool = False,
    ) -> None:
        """Fetch and install, in place of what was under way."""
        self._begun += 1
        self.request_id = request_id
        self._location = location
        self._signed = signed
        self._install_at = install_at
        wait_s = self._until(retrieve_at)
        self.status = "Requested"
        if wait_s:
            self._say("DownloadScheduled")
        self._station.wake_after("firmware", wait_s)

    def go_on(self) -> None:
        """The next step."""
        if self.status in {"Requested", "DownloadScheduled"}:
            self._say("Downloading")
            if not self._station.carry(self._location, None, partial(self._fetched, self._begun)):
                self._station.wake_after("firmware", self._station.spec.step_s)
        elif self.status == "Downloading":
            self._downloaded()
        elif self.status == "Installing":
            self._say("InstallRebooting")
            self._station.wake_after("firmware", self._station.spec.step_s)
        elif self.status == "InstallRebooting":
            found = _VERSION.findall(urlsplit(self._location).path.rpartition("/")[2])
            self._station.firmware = found[-1] if found else _next(self._station.firmware)
            self._station.reset(StopCause.RESET, BootReason.FIRMWARE_UPDATE)
        else:
            self._install()

    def _fetched(self, begun: int, well: bool) -> None:
        if begun != self._begun or self.status != "Downloading":
            return  # something else came in between
        if well:
            self._downloaded()
        else:
            self._say("DownloadFailed")

    def _downloaded(self) -> None:
        if not _is_usable(self._location):
            self._say("DownloadFailed")
            return
        self._say("Downloaded")
        if self._signed:
            self._say("SignatureVerified")
        wait_s = self._until(self._install_at)
        if wait_s or self._station.busy:
            self._say("InstallScheduled")
        self._station.wake_after("firmware", max(self._station.spec.step_s, wait_s))

    def _install(self) -> None:
        if self.status not in _FETCHED:  # another update has taken its place meanwhile
            self._station.readmit()
            return
        if self._station.busy:  # 2.0.1 L01.FR.06: charging goes on
            self._station.once_idle(self._install)
            return
        self._say("Installing")
        self._station.wake_after("firmware", self._station.spec.step_s)

    def booted(self) -> None:
        """The station is back after a restart."""
        if self.status == "InstallRebooting":
            self._say("Installed")
        elif self.running:  # a restart that was not the update's own cuts it off
            failed = self.status in {"Requested", "DownloadScheduled", "Downloading"}
            self._say("DownloadFailed" if failed else "InstallationFailed")

    def _until(self, at: datetime | None) -> float:
        return 0.0 if at is None else max(0.0, (at - self._station.clock.now()).total_seconds())

    def _say(self, status: str) -> None:
        self.status = status
        self._station.speech.firmware_status(status, self.request_id)


class LogUpload:
    """The upload under way, if there is one (1.6 5.8 and security extension, 2.x N01)."""

    __slots__ = ("_begun", "_location", "_station", "request_id", "status")

    def __init__(self, station: Station) -> None:
        self._station = station
        self.status = "Idle"
        """What was said last."""
        self.request_id: int | None = None
        self._location = ""
        self._begun = 0

    @property
    def running(self) -> bool:
        """Whether it has neither ended nor failed."""
        return self.status == "Uploading"

    def begin(self, location: str, *, request_id: int | None) -> None:
        """Send the log, in place of the one under way."""
        if self.running:  # 2.0.1 N01.FR.20
            self._say("AcceptedCanceled")
        self._begun += 1
        self.request_id = request_id
        self._location = location
        self._say("Uploading")
        log = f"{self._station.clock.now():%Y-%m-%dT%H:%M:%SZ} {self._station.spec.identity}\n"
        if not self._station.carry(location, log.encode(), partial(self._sent, self._begun)):
            self._station.wake_after("log", self._station.spec.step_s)

    def go_on(self) -> None:
        """The next step."""
        self._say("Uploaded" if _is_usable(self._location) else "UploadFailure")

    def _sent(self, begun: int, well: bool) -> None:
        if begun == self._begun and self.running:
            self._say("Uploaded" if well else "UploadFailure")

    def _say(self, status: str) -> None:
        self.status = status
        self._station.speech.log_status(status, self.request_id)


def _is_usable(location: str) -> bool:
    try:
        address = urlsplit(location)
    except ValueError:
        return False
    return address.scheme.lower() in _SCHEMES and bool(address.hostname)


def _next(firmware: str) -> str:
    """The version after this one, when the file's name tells none."""
    head, dot, tail = firmware.rpartition(".")
    return f"{head}{dot}{int(tail) + 1}" if tail.isdigit() else f"{firmware}.1"
