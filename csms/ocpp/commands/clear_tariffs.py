"""ClearTariffs: remove tariffs from a station."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import MaxLen, MinLen

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.ocpp.commands import wire
from csms.ocpp.commands.command import Answer, Command, EvseId, doc
from csms.ocpp.fields import objects, text
from csms.ocpp.frames import JsonObject

_TariffId = Annotated[str, MinLen(1), MaxLen(60)]


@dataclass(frozen=True, slots=True)
class ClearTariffs:
    """Parameters of clear_tariffs."""

    tariff_ids: Annotated[list[_TariffId], MinLen(1)] | None = field(
        default=None, metadata=doc("which; left out: all of them")
    )
    evse_id: EvseId | None = field(
        default=None, metadata=doc("of this EVSE only; left out: of all of them")
    )


def read(payload: JsonObject) -> Answer:
    """One word for all of them: the first that is not Accepted, a refusal before all else."""
    results = objects(payload.get("clearTariffsResult"))
    words = sorted({text(one, "status") or "Rejected" for one in results}, key=_gravity)
    word = words[0] if words else None
    refused = [text(one, "tariffId") or "" for one in results if text(one, "status") == word]
    accepted = word in {"Accepted", None}
    detail = None if accepted else f"{word}: {', '.join(filter(None, refused))}".rstrip(": ")
    return Answer(accepted, word, payload, detail)


def _gravity(word: str) -> tuple[bool, bool]:
    return word == "Accepted", word == "NoTariff"


COMMAND = Command(
    name="clear_tariffs",
    summary="Remove tariffs from the station",
    command_class=CommandClass.B,
    params=ClearTariffs,
    actions={OcppVersion.V21: "ClearTariffs"},
    encode={OcppVersion.V21: wire.encoder("ClearTariffs")},
    read=read,
    gone=frozenset({"NoTariff"}),
)
