"""Transactions of OCPP 2.x as stories: the events a station tells, and what must be stored."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.conformance.csms import Csms
from tests.conformance.station import Payload, Station

TOKEN = {"idToken": "TAG", "type": "ISO14443"}
EVSE = {"id": 1, "connectorId": 1}
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Event:
    """One TransactionEvent, without its number and the transaction's id."""

    kind: str
    trigger: str
    state: str | None = None
    stopped: str | None = None
    token: Mapping[str, Any] | None = None
    evse: Mapping[str, Any] | None = field(default_factory=lambda: EVSE)
    wh: float | None = None
    """The energy register, told as a sample."""
    context: str = "Sample.Periodic"
    signed: bool = False
    more: Mapping[str, Any] = field(default_factory=dict)

    def payload(self, transaction_id: str, seq_no: int) -> Payload:
        """As it goes over the wire."""
        info: Payload = {"transactionId": transaction_id}
        if self.state is not None:
            info["chargingState"] = self.state
        if self.stopped is not None:
            info["stoppedReason"] = self.stopped
        told: Payload = {
            "eventType": self.kind,
            "timestamp": _at(seq_no),
            "triggerReason": self.trigger,
            "seqNo": seq_no,
            "transactionInfo": info,
            **self.more,
        }
        if self.token is not None:
            told["idToken"] = dict(self.token)
        if self.evse is not None:
            told["evse"] = dict(self.evse)
        if self.wh is not None:
            told["meterValue"] = [meter_value(_at(seq_no), self.wh, self.context, self.signed)]
        return told


def meter_value(at: str, wh: float, context: str, signed: bool = False) -> Payload:
    """A meterValue with the energy register."""
    sample: Payload = {
        "value": wh,
        "measurand": "Energy.Active.Import.Register",
        "context": context,
        "unitOfMeasure": {"unit": "Wh"},
    }
    if signed:
        sample["signedMeterValue"] = {
            "signedMeterData": "c2lnbmVk",
            "signingMethod": "",
            "encodingMethod": "OCMF",
            "publicKey": "",
        }
    return {"timestamp": at, "sampledValue": [sample]}


def _at(seq_no: int) -> str:
    return f"2026-05-01T12:{seq_no:02d}:00.000Z"


@dataclass(frozen=True, slots=True)
class Story:
    """The events, and the reason for which the transaction is over; None: it goes on."""

    events: Sequence[Event]
    stopped: str | None = None
    energy: tuple[int, int | None] | None = (1_000_000, 3_000_000)
    """First and last register in mWh, the last None when only the first came; None: not judged."""


def story(case: str, *events: Event, **values: Any) -> Any:
    """A row of a table of stories."""
    return pytest.param(Story(events, **values), id=case)


async def tell(station: Station, one: Story, flawed: int | None = None) -> str:
    """Tell every event and check its answer; the one numbered `flawed` breaks its schema."""
    transaction_id = f"tx-{next(_numbers)}"
    for seq_no, event in enumerate(one.events):
        payload = event.payload(transaction_id, seq_no)
        if seq_no == flawed:
            payload |= {"triggerReason": "NoSuchReason", "offline": "perhaps"}
        answer = await station.call("TransactionEvent", payload)
        if event.token is not None:
            assert "Accepted" == answer["idTokenInfo"]["status"]
    return transaction_id


async def assert_told(csms: Csms, station: Station, transaction_id: str, one: Story) -> None:
    """One transaction is stored, as the story says."""
    (stored,) = await csms.rows(station, "transactions")
    assert transaction_id == stored["station_transaction_id"]
    assert (one.stopped is not None) == (stored["end_received_at"] is not None)
    assert one.stopped == stored["stop_reason"]
    if one.energy is not None:
        last = stored["end_register_mwh"] if one.stopped else stored["last_register_mwh"]
        assert one.energy == (stored["start_register_mwh"], last)
