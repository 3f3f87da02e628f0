"""One connector of a virtual 1.6 station: its status, its meter, its transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Protocol

from csms.clock import Clock
from csms.fleet.configuration import Configuration
from csms.fleet.physics import Charge, Meter, Reading, draw_vehicle
from csms.fleet.samples import meter_value_v16, timestamp
from csms.fleet.spec import StationSpec
from csms.ocpp.frames import JsonObject

UNPLUG_S = 2.0


class Host(Protocol):
    """The station around the connector."""

    spec: StationSpec
    clock: Clock
    random: Random
    configuration: Configuration

    def say(
        self,
        action: str,
        payload: JsonObject | Callable[[], JsonObject | None],
        *,
        done: Callable[[JsonObject | None], None] = ...,
        kept: bool = ...,
    ) -> None:
        """Send a CALL when its turn comes."""
        ...

    def wake(self, connector: Connector, what: str, delay_s: float | None) -> None:
        """Call the connector's `what` after the delay; None takes the order back."""
        ...


@dataclass(slots=True)
class Transaction:
    """One at a time per connector."""

    id_token: str
    id: int | None = None
    """The CSMS's number, once it has answered the start."""
    charge: Charge | None = None
    """None until it is authorized."""
    read_at: float = 0.0


class Connector:
    """Number `id`, from 1."""

    __slots__ = ("_host", "_scheduled", "id", "meter", "operative", "reported", "status", "tx")

    def __init__(self, host: Host, connector_id: int) -> None:
        self._host = host
        self.id = connector_id
        self.status = "Available"
        """One of the nine words of OCPP 1.6."""
        self.reported: str | None = None
        """The status that the CSMS was told."""
        self.operative = True
        self._scheduled: bool | None = None
        self.meter = Meter(float(host.random.randrange(10_000, 5_000_000)))
        self.tx: Transaction | None = None

    @property
    def free(self) -> bool:
        """Whether a transaction could start."""
        return self.tx is None and self.status == "Available"

    def report(self) -> None:
        """Send a StatusNotification."""
        told = self.status

        def heard(answer: JsonObject | None) -> None:
            self.reported = None if answer is None else told

        self._host.say(
            "StatusNotification",
            {
                "connectorId": self.id,
                "errorCode": "NoError",
                "status": told,
                "timestamp": timestamp(self._host.clock.now()),
            },
            done=heard,
        )

    def _go(self, status: str) -> None:
        if status != self.status:
            self.status = status
            self.report()

    # ---- availability ------------------------------------------------------------------------

    def set_operative(self, operative: bool) -> str:
        """Obey ChangeAvailability; returns the word to answer with."""
        if self.tx is not None and operative != self.operative:
            self._scheduled = operative
            return "Scheduled"
        self._scheduled = None
        self.operative = operative
        if self.tx is None:
            self._go("Available" if operative else "Unavailable")
        return "Accepted"

    def unplug(self) -> None:
        """The car has left."""
        if self._scheduled is not None:
            self.operative, self._scheduled = self._scheduled, None
        self._go("Available" if self.operative else "Unavailable")

    def power_up(self) -> None:
        """Begin anew after a restart, without saying so yet."""
        if self._scheduled is not None:
            self.operative, self._scheduled = self._scheduled, None
        self.status = "Available" if self.operative else "Unavailable"
        self.reported = None

    # ---- transactions ------------------------------------------------------------------------

    def start(self, id_token: str) -> None:
        """Plug a car in and start, asking the CSMS about the token first."""
        tx = self._plug_in(id_token)

        def authorized(answer: JsonObject | None) -> None:
            if self.tx is not tx:
                return
            if answer is not None and answer["idTagInfo"]["status"] == "Accepted":
                self._begin(tx)
            else:
                self.tx = None
                self.unplug()

        self._host.say("Authorize", {"idTag": id_token}, done=authorized)

    def start_unasked(self, id_token: str) -> None:
        """Plug a car in and start at once."""
        self._begin(self._plug_in(id_token))

    def _plug_in(self, id_token: str) -> Transaction:
        self.tx = Transaction(id_token)
        self._go("Preparing")
        return self.tx

    def _begin(self, tx: Transaction) -> None:
        host = self._host
        supply = host.spec.supply
        register_wh = self.meter.whole_wh()
        tx.charge = Charge(draw_vehicle(host.random, supply), supply, self.meter, host.random)
        tx.read_at = host.clock.monotonic()
        self._sample_later()
        host.say(
            "StartTransaction",
            {
                "connectorId": self.id,
                "idTag": tx.id_token,
                "meterStart": register_wh,
                "timestamp": timestamp(host.clock.now()),
            },
            done=lambda answer: self._started(tx, answer),
            kept=True,
        )

    def _started(self, tx: Transaction, answer: JsonObject | None) -> None:
        if answer is not None:
            tx.id = answer["transactionId"]
        if self.tx is not tx:
            return
        if answer is None:  # refused for good: there is nothing the CSMS could be told about
            self.stop("Other")
        elif answer["idTagInfo"]["status"] == "Accepted":
            self._go("Charging")
        elif self._host.configuration.is_on("StopTransactionOnInvalidId"):
            self.stop("DeAuthorized")
        else:
            self._host.wake(self, "sample", None)
            self._go("SuspendedEVSE")

    def stop(self, reason: str) -> None:
        """End the transaction, if there is one, and let the car go."""
        tx, self.tx = self.tx, None
        if tx is None:
            return
        host = self._host
        host.wake(self, "sample", None)
        if tx.charge is None:  # still being authorized: nothing began
            self.unplug()
            return
        self._read(tx, tx.charge)
        content = {
            "idTag": tx.id_token,
            "meterStop": self.meter.whole_wh(),
            "timestamp": timestamp(host.clock.now()),
            "reason": reason,
        }
        host.say("StopTransaction", lambda: _numbered(tx, content), kept=True)
        self._go("Finishing")
        host.wake(self, "unplug", UNPLUG_S)

    # ---- meter values ------------------------------------------------------------------------

    def sample(self) -> None:
        """Send the periodic reading."""
        self.send_reading("Sample.Periodic")
        self._sample_later()

    def retime(self) -> None:
        """The interval was changed."""
        if self.tx is not None and self.tx.charge is not None:
            self._sample_later()

    def _sample_later(self) -> None:
        interval_s = self._host.configuration.number("MeterValueSampleInterval")
        self._host.wake(self, "sample", interval_s or None)

    def send_reading(self, context: str) -> None:
        """Send MeterValues as they are now."""
        host = self._host
        tx = self.tx
        if tx is None or tx.charge is None:
            reading = Reading(self.meter.register_wh, 0.0, (), (), 0.0)
        else:
            reading = self._read(tx, tx.charge)
        value = meter_value_v16(
            reading,
            at=host.clock.now(),
            context=context,
            measurands=host.configuration.text("MeterValuesSampledData").split(","),
            current_type=host.spec.supply.current_type,
        )
        if value is None:
            return
        content = {"connectorId": self.id, "meterValue": [value]}
        if tx is None or tx.charge is None:
            host.say("MeterValues", content)
            return
        host.say("MeterValues", lambda: _numbered(tx, content), kept=True)
        if tx.charge.full and self.status == "Charging":
            self._go("SuspendedEV")

    def _read(self, tx: Transaction, charge: Charge) -> Reading:
        now = self._host.clock.monotonic()
        reading = charge.advance(now - tx.read_at)
        tx.read_at = now
        return reading


def _numbered(tx: Transaction, content: JsonObject) -> JsonObject | None:
    """With the number the CSMS gave; a start it refused for good leaves nothing to tell."""
    return None if tx.id is None else {**content, "transactionId": tx.id}
