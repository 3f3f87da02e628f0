"""SetDefaultTariff: what charging costs drivers that have no tariff of their own."""

from __future__ import annotations

from dataclasses import dataclass, field

from csms.domain.jobs import CommandClass
from csms.domain.tariffs import Tariff
from csms.domain.versions import OcppVersion
from csms.ocpp.commands import wire
from csms.ocpp.commands.command import Command, EvseId, Order, doc


@dataclass(frozen=True, slots=True)
class SetDefaultTariff:
    """Parameters of set_default_tariff."""

    tariff: Tariff = field(metadata=doc("the tariff"))
    evse_id: EvseId | None = field(
        default=None, metadata=doc("for this EVSE only; left out: for all of them")
    )


def encode_v21(params: SetDefaultTariff) -> Order:
    """EVSE 0 is all of them."""
    return Order("SetDefaultTariff", {**wire.payload(params), "evseId": params.evse_id or 0})


COMMAND = Command(
    name="set_default_tariff",
    summary="Set what charging costs drivers that have no tariff of their own",
    command_class=CommandClass.B,
    params=SetDefaultTariff,
    actions={OcppVersion.V21: "SetDefaultTariff"},
    encode={OcppVersion.V21: encode_v21},
    gone=frozenset({"DuplicateTariffId"}),
)
