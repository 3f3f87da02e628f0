"""GetTariffs: ask a station which tariffs it has."""

from __future__ import annotations

from dataclasses import dataclass, field

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.ocpp.commands.command import Command, EvseId, Order, also_accepts, doc


@dataclass(frozen=True, slots=True)
class GetTariffs:
    """Parameters of get_tariffs."""

    evse_id: EvseId | None = field(
        default=None, metadata=doc("of this EVSE only; left out: of all of them")
    )


def encode_v21(params: GetTariffs) -> Order:
    """EVSE 0 is all of them."""
    return Order("GetTariffs", {"evseId": params.evse_id or 0})


COMMAND = Command(
    name="get_tariffs",
    summary="Ask the station which tariffs it has",
    command_class=CommandClass.A,
    params=GetTariffs,
    actions={OcppVersion.V21: "GetTariffs"},
    encode={OcppVersion.V21: encode_v21},
    read=also_accepts("NoTariff"),
)
