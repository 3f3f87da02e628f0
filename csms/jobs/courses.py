"""An order that takes several CALLs: which one is next, and what the answers say together.

Each CALL is an attempt of its own. So a crash in between costs what it costs any attempt: class A
and B repeat the one CALL that was open, class C ends there as unknown; those that were answered
never go out again.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any

from csms.domain.device_model import VariableKey
from csms.domain.jobs import JobItem
from csms.domain.versions import OcppVersion
from csms.errors import CallRefused, Conflict, NotSupportedByVersion
from csms.ocpp.commands.command import Answer, Batch, Order
from csms.ocpp.variables import V16_COMPONENT, key_v16
from csms.store import variables
from csms.store.database import ReadTx

DATA = "course"
"""Where an item keeps how far it is."""


@dataclass(frozen=True, slots=True)
class Course:
    """The CALLs of one item, and the answers to those that are over."""

    version: OcppVersion
    at_most: int | None
    """The length of a list that the CALLs were cut by; what the station says later is for later."""
    calls: tuple[Order, ...]
    answers: tuple[Answer, ...] = ()

    @property
    def next(self) -> Order:
        """The CALL that goes out now."""
        return self.calls[len(self.answers)]

    @property
    def is_over(self) -> bool:
        """Whether every CALL was answered."""
        return len(self.answers) == len(self.calls)

    def take(self, answer: Answer) -> Course:
        """The course after the answer to `next`."""
        if len(self.calls) > 1 and not answer.accepted and answer.detail is None:
            answer = replace(answer, detail=f"the station answered {answer.status} {self._place}")
        return replace(self, answers=(*self.answers, answer))

    def take_error(self, error: CallRefused) -> Course:
        """The course after a CALLERROR to `next`."""
        payload = {"error_code": error.error_code, "error_description": error.description}
        told = f"{error.message} {self._place}"
        return self.take(Answer(False, None, payload, detail=told, is_error=True))

    @property
    def _place(self) -> str:
        if self.next.subject is not None:
            return f"for {self.next.subject}"
        return f"to CALL {len(self.answers) + 1} of {len(self.calls)}"

    def told(self, message: str) -> str:
        """What a course says that ended early: also how much of it the station took."""
        if len(self.calls) == 1:
            return message
        accepted = sum(answer.accepted for answer in self.answers)
        return f"{message}; of {len(self.calls)} CALLs {accepted} were accepted"

    def data(self) -> dict[str, Any]:
        """What `plan` goes on from."""
        return {
            "version": self.version.value,
            "at_most": self.at_most,
            "answers": [asdict(answer) for answer in self.answers],
        }


def limit(tx: ReadTx, station_id: int, batch: Batch) -> int:
    """How long the list may be in one CALL to the station."""
    names = [batch.limit]
    with suppress(NotSupportedByVersion):  # what a 1.6 station told is kept by its key
        key = key_v16(batch.limit.component, batch.limit.variable)
        names.append(VariableKey(component=V16_COMPONENT, variable=key))
    told = [variables.find_value(tx, station_id, name) or "" for name in names]
    numbers = [int(number) for number in told if number.isdecimal()]
    return next((number for number in numbers if number > 0), batch.otherwise)


def plan(
    item: JobItem,
    order: Order,
    version: OcppVersion,
    *,
    batch: Batch | None = None,
    at_most: int | None = None,
) -> Course:
    """The course of an item that begins, with lists of `at_most`, or goes on as it began.

    Raises Conflict when the station came back with another version in between.
    """
    if item.step is None:
        return Course(version, at_most, _cut(order, batch, at_most))
    kept = item.data[DATA]
    if kept["version"] != version.value:
        raise Conflict(
            "the station came back with another OCPP version in between", code="partly_done"
        )
    answers = tuple(Answer(**answer) for answer in kept["answers"])
    return Course(version, kept["at_most"], _cut(order, batch, kept["at_most"]), answers)


def together(answers: Sequence[Answer], subjects: Sequence[str | None] = ()) -> Answer:
    """One answer of many: a refusal of one is a refusal, lists are joined.

    Where the CALLs have subjects, `results` says what was answered about each.
    """
    if len(answers) == 1:
        (answer,) = answers
        return replace(answer, detail=None) if answer.accepted and answer.detail else answer
    refused = [answer for answer in answers if not answer.accepted]
    telling = [answer for answer in answers if answer.status == "RebootRequired"]
    decisive = (refused or telling or answers[-1:])[0]
    lists: dict[str, list[Any]] = {}
    for answer in answers:
        for name, value in answer.payload.items():
            if isinstance(value, list):  # what a vendor adds may be a list in one answer only
                lists.setdefault(name, []).extend(value)
    if any(subjects):
        lists["results"] = [
            {"subject": subject, "status": answer.status}
            for subject, answer in zip(subjects, answers, strict=False)
        ]
    return Answer(
        accepted=not refused,
        status=decisive.status,
        payload={**decisive.payload, **lists},
        detail="; ".join(answer.detail for answer in refused if answer.detail) or None,
        is_error=any(answer.is_error for answer in answers),
    )


def _cut(order: Order, batch: Batch | None, at_most: int | None) -> tuple[Order, ...]:
    if batch is None or at_most is None or batch.items not in order.payload:
        return (order, *order.then)
    whole = order.payload[batch.items]
    chunks = [whole[start : start + at_most] for start in range(0, len(whole), at_most)]
    parts = [
        Order(
            order.action,
            batch.part({**order.payload, batch.items: chunk}, number, len(chunks)),
        )
        for number, chunk in enumerate(chunks)
    ]
    return (*parts, *order.then)
