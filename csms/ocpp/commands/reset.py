"""Reset: restart the station, on 2.x also one EVSE of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from csms.domain.effects import Effect
from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.errors import NotSupportedByVersion
from csms.ocpp.commands.command import Command, Evidence, EvidenceQuery, EvseId, Order, doc
from csms.ocpp.commands.effects import follows
from csms.ocpp.frames import JsonObject
from csms.store import evidence as evidence_store
from csms.store.database import ReadTx


class ResetType(str, Enum):
    """When the station restarts, and what becomes of its transactions."""

    IMMEDIATE = "immediate"
    ON_IDLE = "on_idle"
    IMMEDIATE_AND_RESUME = "immediate_and_resume"


_V2X = {
    ResetType.IMMEDIATE: "Immediate",
    ResetType.ON_IDLE: "OnIdle",
    ResetType.IMMEDIATE_AND_RESUME: "ImmediateAndResume",
}


@dataclass(frozen=True, slots=True)
class Reset:
    """Parameters of reset."""

    type: ResetType = field(
        default=ResetType.IMMEDIATE,
        metadata=doc(
            "immediate ends transactions and restarts; on_idle waits for them to end;"
            " immediate_and_resume restarts and goes on with them, OCPP 2.1 only"
        ),
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
    if params.type is not ResetType.IMMEDIATE:
        # Soft ends transactions (1.6 errata), OnIdle waits for them (2.0.1 B12): not the same.
        raise NotSupportedByVersion(f"OCPP 1.6 cannot reset {params.type.value}")
    if params.evse_id is not None:
        raise NotSupportedByVersion("OCPP 1.6 cannot reset a single EVSE")
    return Order("Reset", {"type": "Hard" if params.force else "Soft"})


def encode_v201(params: Reset) -> Order:
    """As 2.1, without resuming."""
    if params.type is ResetType.IMMEDIATE_AND_RESUME:
        raise NotSupportedByVersion("OCPP 2.0.1 cannot resume transactions after a reset")
    return encode_v21(params)


def encode_v21(params: Reset) -> Order:
    """An immediate reset ends transactions first (2.0.1 B12), so nothing is Hard."""
    if params.force:
        raise NotSupportedByVersion("OCPP 2.x cannot reset hard, without ending transactions")
    payload: JsonObject = {"type": _V2X[params.type]}
    if params.evse_id is not None:
        payload["evseId"] = params.evse_id
    return Order("Reset", payload)


def decode_v16(payload: JsonObject) -> Reset:
    """Hard stays what only 1.6 has."""
    return Reset(force=payload["type"] == "Hard")


def evidence(tx: ReadTx, query: EvidenceQuery) -> Evidence | None:
    """A boot since then: its reason tells on 2.x, the connection it came on in 1.6."""
    if query.version is OcppVersion.V16:
        return _evidence_v16(tx, query)
    if "evseId" in query.payload:
        return None  # an EVSE restarts without a boot
    boot_at = evidence_store.find_boot_of_reset(
        tx, station_id=query.station_id, since=query.intent_at
    )
    return None if boot_at is None else Evidence("boot", boot_at, inferred=False)


def _evidence_v16(tx: ReadTx, query: EvidenceQuery) -> Evidence | None:
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


def effect(tx: ReadTx, query: EvidenceQuery, age_us: int) -> Effect | None:
    """A station may take minutes to come back; an EVSE does not tell."""
    return None if "evseId" in query.payload else _BOOT_FOLLOWS(tx, query, age_us)


_BOOT_FOLLOWS = follows(evidence, within_s=300)


COMMAND = Command(
    name="reset",
    summary="Restart the station or one EVSE",
    command_class=CommandClass.C,
    params=Reset,
    actions=dict.fromkeys(OcppVersion, "Reset"),
    encode={
        OcppVersion.V16: encode_v16,
        OcppVersion.V201: encode_v201,
        OcppVersion.V21: encode_v21,
    },
    rate_per_min=1200,  # all of them reconnect and boot at once otherwise
    evidence=evidence,
    effect=effect,
    decode_v16={"Reset": decode_v16},
)
