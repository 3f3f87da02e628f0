"""StopTransaction: a transaction is over."""

from __future__ import annotations

from csms.domain.transactions import StopReport, TransactionFlag
from csms.ocpp.actions.authorize import id_tag_info_v16
from csms.ocpp.actions.meter_values import transaction_id_v16
from csms.ocpp.context import StationContext, Stored
from csms.ocpp.fields import raw, text
from csms.ocpp.frames import JsonObject
from csms.ocpp.sampled_values import readings_v16, register_v16
from csms.services import transactions


def on_v16(station: StationContext, payload: JsonObject) -> Stored:
    """Store it and answer; it is never refused, whatever its id and its tag."""
    report = _report_v16(station, payload)
    policy = station.token_policy
    return Stored(
        station.db,
        lambda tx: transactions.stop(tx, station.station_id, report, policy),
        lambda known: {} if known is None else {"idTagInfo": id_tag_info_v16(known)},
    )


def _report_v16(station: StationContext, payload: JsonObject) -> StopReport:
    at, flag = station.instant(payload.get("timestamp"), "timestamp")
    register = register_v16(station, payload.get("meterStop"))
    flags = set()
    if flag is not None or at is None:
        flags.add(TransactionFlag.CLOCK_SUSPECT)
    if register is None:
        flags.add(TransactionFlag.REGISTER_SUSPECT)
    return StopReport(
        station_transaction_id=transaction_id_v16(payload) or "",
        id_token=text(payload, "idTag"),
        register_mwh=register,
        reported_at=at,
        # OCPP 1.6 6.49: left out when it is Local.
        reason=text(payload, "reason") or "Local",
        readings=tuple(readings_v16(station, payload, "transactionData")),
        flags=frozenset(flags),
        raw=raw(payload),
    )
