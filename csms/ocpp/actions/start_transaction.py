"""StartTransaction: a transaction begins, and gets its id from us."""

from __future__ import annotations

from csms.clock import to_micros
from csms.domain.transactions import StartReport, TransactionFlag, natural_key_v16
from csms.ocpp.actions.authorize import id_tag_info_v16
from csms.ocpp.context import StationContext, Stored
from csms.ocpp.fields import integer, raw, text
from csms.ocpp.frames import JsonObject
from csms.ocpp.sampled_values import register_v16
from csms.services import transactions


def on_v16(station: StationContext, payload: JsonObject) -> Stored:
    """Store it and answer with its id; a repeated one gets the id of the first."""
    report = _report_v16(station, payload)
    policy = station.token_policy
    return Stored(
        station.db,
        lambda tx: transactions.start_v16(tx, station.station_id, report, policy),
        lambda started: {"transactionId": started[0], "idTagInfo": id_tag_info_v16(started[1])},
    )


def _report_v16(station: StationContext, payload: JsonObject) -> StartReport:
    evse_id = integer(payload, "connectorId") or 0
    tag = text(payload, "idTag") or ""
    timestamp = payload.get("timestamp")
    at, flag = station.instant(timestamp, "timestamp")
    register = register_v16(station, payload.get("meterStart"))
    flags = set()
    if flag is not None or at is None:
        flags.add(TransactionFlag.CLOCK_SUSPECT)
    if register is None:
        flags.add(TransactionFlag.REGISTER_SUSPECT)
    canonical = raw(timestamp)[:64] if at is None else str(to_micros(at))
    return StartReport(
        evse_id=evse_id,
        id_token=tag,
        register_mwh=register,
        reported_at=at,
        reservation_id=integer(payload, "reservationId"),
        natural_key=natural_key_v16(evse_id, tag, raw(payload.get("meterStart"))[:64], canonical),
        flags=frozenset(flags),
        raw=raw(payload),
    )
