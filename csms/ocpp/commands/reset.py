"""Reset: restart the station."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.errors import NotSupportedByVersion
from csms.ocpp.commands.command import Command, Evidence, EvidenceQuery, EvseId, Order, doc
from csms.store import evidence as evidence_store
from csms.store.database import ReadTx


class ResetType(str, Enum):
    """When the station restarts."""

    IMMEDIATE = "immediate"
    ON_IDLE = "on_idle"


@dataclass(frozen=True, slots=True)
class Reset:
    """Parameters of reset."""

    type: ResetType = field(
        default=ResetType.IMMEDIATE,
        metadata=doc("immediate ends transactions and restarts; on_idle waits for them to end"),
    )
    force: bool = field(
        default=False,
        metadata=doc("restart the hardware without ending transactions first; OCPP 1.6 only"),
    )
    evse_id: EvseId | None = field(
        default=None, metadata=doc("reset one EVSE alone; OCPP 2.x only")
    )


def encode_v16(params: Reset) -> Order:
    """Immediate is Soft; Hard only when asked for with `force`."""
    if params.type is ResetType.ON_IDLE:
        # Soft ends transactions (1.6 errata), OnIdle waits for them (2.0.1 B12): not the same.
        raise NotSupportedByVersion("OCPP 1.6 cannot reset on idle")
    if params.evse_id is not None:
        raise NotSupportedByVersion("OCPP 1.6 cannot reset a single EVSE")
    return Order("Reset", {"type": "Hard" if params.force else "Soft"})


def evidence(tx: ReadTx, query: EvidenceQuery) -> Evidence | None:
    """A boot on a newer connection of the same life of ours that we did not trigger."""
    if query.connection_generation is None:
        return None
    boot_at = evidence_store.find_boot_after(
        tx,
        station_id=query.station_id,
        epoch=query.epoch,
        generation=query.connection_generation,
        since=query.intent_at,
    )
    return None if boot_at is None else Evidence("boot", boot_at, inferred=True)


COMMAND = Command(
    name="reset",
    summary="Restart the station",
    command_class=CommandClass.C,
    params=Reset,
    actions={OcppVersion.V16: "Reset"},
    encode={OcppVersion.V16: encode_v16},
    rate_per_min=1200,  # all of them reconnect and boot at once otherwise
    evidence=evidence,
)
