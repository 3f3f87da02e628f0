"""NotifyWebPaymentStarted: a driver is paying on a web page that a QR code led to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import Ge, Le

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.ocpp.commands import wire
from csms.ocpp.commands.command import Command, EvseId, doc


@dataclass(frozen=True, slots=True)
class NotifyWebPaymentStarted:
    """Parameters of notify_web_payment_started."""

    evse_id: EvseId = field(metadata=doc("for which EVSE"))
    timeout_s: Annotated[int, Ge(1), Le(2**31 - 1)] = field(
        metadata=doc("how long the station keeps other drivers from starting there")
    )


COMMAND = Command(
    name="notify_web_payment_started",
    summary="Say that a driver is paying on a web page",
    command_class=CommandClass.A,
    params=NotifyWebPaymentStarted,
    actions={OcppVersion.V21: "NotifyWebPaymentStarted"},
    encode={OcppVersion.V21: wire.encoder("NotifyWebPaymentStarted")},
    single_target=True,
)
