"""ChangeTransactionTariff: another tariff for a transaction from now on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import MaxLen, MinLen

from csms.domain.jobs import CommandClass
from csms.domain.tariffs import Tariff
from csms.domain.versions import OcppVersion
from csms.ocpp.commands import wire
from csms.ocpp.commands.command import Command, doc


@dataclass(frozen=True, slots=True)
class ChangeTransactionTariff:
    """Parameters of change_transaction_tariff."""

    transaction_id: Annotated[str, MinLen(1), MaxLen(36)] = field(
        metadata=doc("the station's transaction id")
    )
    tariff: Tariff = field(metadata=doc("the new tariff, in the currency of the old one"))


COMMAND = Command(
    name="change_transaction_tariff",
    summary="Change the tariff of an ongoing transaction",
    command_class=CommandClass.A,
    params=ChangeTransactionTariff,
    actions={OcppVersion.V21: "ChangeTransactionTariff"},
    encode={OcppVersion.V21: wire.encoder("ChangeTransactionTariff")},
    single_target=True,
)
