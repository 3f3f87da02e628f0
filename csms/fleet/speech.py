"""What a virtual station has to say, whatever the version of OCPP it says it in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Protocol

from csms.fleet.physics import Charge, Reading
from csms.ocpp.frames import JsonObject


class ConnectorState(str, Enum):
    """Where a connector is: the words of OCPP 1.6, which are finer than those of 2.x."""

    AVAILABLE = "Available"
    PREPARING = "Preparing"
    CHARGING = "Charging"
    SUSPENDED_EV = "SuspendedEV"
    SUSPENDED_EVSE = "SuspendedEVSE"
    FINISHING = "Finishing"
    RESERVED = "Reserved"
    UNAVAILABLE = "Unavailable"
    FAULTED = "Faulted"


class BootReason(str, Enum):
    """BootReasonEnumType, as far as we have reasons."""

    POWER_UP = "PowerUp"
    REMOTE_RESET = "RemoteReset"
    SCHEDULED_RESET = "ScheduledReset"
    FIRMWARE_UPDATE = "FirmwareUpdate"
    TRIGGERED = "Triggered"
    UNKNOWN = "Unknown"


class StopCause(Enum):
    """Why a transaction ends; every version has its own words."""

    LOCAL = "local"
    REMOTE = "remote"
    DEAUTHORIZED = "deauthorized"
    RESET = "reset"
    HARD_RESET = "hard_reset"
    UNLOCKED = "unlocked"
    REFUSED = "refused"
    """The CSMS would not hear of its start."""
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Token:
    """An id token; OCPP 1.6 knows no types."""

    text: str
    type: str = "Central"
    group: str | None = None

    def is_same(self, other: Token) -> bool:
        """Whether the two are one; tokens have no case."""
        return self.text.casefold() == other.text.casefold()

    def is_of_group(self, other: Token) -> bool:
        """Whether a group that is known to both holds them."""
        if self.group is None or other.group is None:
            return False
        return self.group.casefold() == other.group.casefold()


@dataclass(slots=True)
class Transaction:
    """One at a time per connector."""

    connector_id: int
    token: Token
    remote_start_id: int | None = None
    """The number of the request that asked for it; 2.x only."""
    reservation_id: int | None = None
    """The reservation it used up."""
    id: int | str | None = None
    """The CSMS's number in 1.6, known once it has answered; the station's own name in 2.x."""
    charge: Charge | None = None
    """None until it is authorized."""
    denied: bool = False
    """The CSMS refuses its token, yet it goes on, without energy."""
    started_at: datetime | None = None
    read_at: float = 0.0
    events: int = field(default=0, repr=False)
    """How many events of it there were; 2.x numbers them."""
    wanted_s: float | None = None
    """It ends by itself after so long."""
    wanted_wh: float | None = None
    """It ends by itself with so much energy."""
    ends_at_wh: float | None = None
    """Where its meter stands then."""


Heard = Callable[[JsonObject | None], None]
"""Gets the answer to a CALL, or None: refused for good, or not answered."""


def nothing(answer: JsonObject | None) -> None:
    """For answers without a consequence."""


class Speech(Protocol):
    """One version of OCPP as one station speaks it."""

    @property
    def forgotten_s(self) -> float:
        """How long a station is away before it tells every status again."""
        ...

    def password(self, text: str) -> bytes:
        """What a new password that the CSMS wrote stands for."""
        ...

    def boot(self, reason: BootReason, heard: Heard) -> None:
        """Tell who we are."""
        ...

    def station_status(self) -> None:
        """Tell whether the station as a whole can be used, in versions where that is told."""
        ...

    def status_word(self, state: ConnectorState) -> str:
        """What this version calls the state of a connector."""
        ...

    def status(
        self, connector_id: int, word: str, heard: Heard, *, fault: str | None = None
    ) -> None:
        """Tell the state of a connector, and what is wrong with it in versions that do."""
        ...

    def authorize(self, token: Token, heard: Callable[[bool], None]) -> None:
        """Ask whether the token may charge."""
        ...

    def started(self, tx: Transaction, heard: Callable[[bool | None], None]) -> None:
        """Tell of a transaction; hears whether the CSMS is content, None: it refused for good."""
        ...

    def state_changed(self, tx: Transaction, state: ConnectorState) -> None:
        """Tell of the connector's new state during a transaction, apart from its status."""
        ...

    def limit_changed(self, tx: Transaction, state: ConnectorState) -> None:
        """Tell that a schedule allows another power from now on, in versions that do."""
        ...

    def metered(
        self, tx: Transaction, reading: Reading, state: ConnectorState, context: str
    ) -> None:
        """Tell a reading of a transaction."""
        ...

    def metered_idle(self, connector_id: int, reading: Reading, context: str) -> None:
        """Tell a reading outside of transactions."""
        ...

    def ended(self, tx: Transaction, reading: Reading, cause: StopCause) -> None:
        """Tell the end of a transaction."""
        ...

    def reservation_gone(self, reservation_id: int, word: str) -> None:
        """Tell that a reservation went without being used, in versions that do."""
        ...

    def firmware_status(self, word: str, request_id: int | None) -> None:
        """Tell how far an update is, in a word of 2.x."""
        ...

    def log_status(self, word: str, request_id: int | None) -> None:
        """Tell how far an upload is, in a word of 2.x."""
        ...
