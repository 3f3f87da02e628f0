"""CostUpdated: show the driver what the transaction has cost so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import MaxLen, MinLen

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.ocpp.commands.command import Command, Order, doc


@dataclass(frozen=True, slots=True)
class CostUpdated:
    """Parameters of cost_updated."""

    transaction_id: Annotated[str, MinLen(1), MaxLen(36)] = field(
        metadata=doc("the station's transaction id")
    )
    total_cost: float = field(
        metadata=doc("what it has cost in all, taxes included, in the station's currency")
    )


def encode_v2x(params: CostUpdated) -> Order:
    """The total, not what was added to it."""
    return Order(
        "CostUpdated", {"totalCost": params.total_cost, "transactionId": params.transaction_id}
    )


COMMAND = Command(
    name="cost_updated",
    summary="Show the driver the cost so far",
    command_class=CommandClass.A,
    params=CostUpdated,
    actions={OcppVersion.V201: "CostUpdated", OcppVersion.V21: "CostUpdated"},
    encode={OcppVersion.V201: encode_v2x, OcppVersion.V21: encode_v2x},
    single_target=True,
)
