"""TransactionEvent: a transaction begins, goes on or ends (OCPP 2.x)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from csms.domain.lint import Rule
from csms.domain.metering import Reading, register_span
from csms.domain.prices import MILLION
from csms.domain.transaction_events import UPDATED, TransactionEvent, TransactionReport
from csms.domain.transactions import TransactionFlag
from csms.domain.versions import OcppVersion
from csms.ocpp.actions.authorize import id_token_info_v2x, id_token_v2x
from csms.ocpp.context import StationContext, Stored
from csms.ocpp.fields import MAX_TEXT, flag, integer, raw, text
from csms.ocpp.frames import JsonObject
from csms.ocpp.sampled_values import phase_registers_v2x, readings_v2x
from csms.services import transaction_events
from csms.services.transaction_events import Recorded


def on_v2x(station: StationContext, payload: JsonObject) -> Stored:
    """Store the event; the answer judges the token, if it shows one."""
    report = _report(station, payload)
    policy = station.token_policy
    return Stored(
        station.db,
        lambda tx: transaction_events.record(tx, station.station_id, report, policy),
        # A station of 2.1 that computes the cost says so in its details.
        partial(_reply, station.version, tells_cost="costDetails" not in payload),
    )


def _reply(version: OcppVersion, recorded: Recorded, *, tells_cost: bool) -> JsonObject:
    answer: JsonObject = {}
    # OCPP 2.0.1 E01.FR.12, E05.FR.01: whenever a token came.
    if recorded.authorized is not None:
        answer["idTokenInfo"] = id_token_info_v2x(version, recorded.authorized)
    # OCPP 2.0.1 I03.FR.02: the final cost, when it is known; left out it does not mean free.
    if recorded.cost_micros is not None and tells_cost:
        answer["totalCost"] = recorded.cost_micros / MILLION
    return answer


def _report(station: StationContext, payload: JsonObject) -> TransactionReport:
    info = _object(payload, "transactionInfo")
    readings = tuple(readings_v2x(station, payload, "meterValue"))
    return TransactionReport(
        station_transaction_id=_transaction_id(info),
        event=_event(station, payload, info, readings),
        readings=readings,
        raw=raw(payload),
    )


def _event(
    station: StationContext, payload: JsonObject, info: JsonObject, readings: Sequence[Reading]
) -> TransactionEvent:
    evse = _object(payload, "evse")
    shown = id_token_v2x(payload)
    at, doubt = station.instant(payload.get("timestamp"), "timestamp")
    span, phases = register_span(readings), None
    if span.first_mwh is None and readings:
        phases, partial = phase_registers_v2x(station, readings)
        span = register_span(partial)
    flags = set()
    if doubt is not None or at is None:
        flags.add(TransactionFlag.CLOCK_SUSPECT)
    if span.fell:
        flags.add(TransactionFlag.REGISTER_FELL)
        station.lint(Rule.REGISTER_FALLS, "meterValue[].sampledValue[].value")
    return TransactionEvent(
        type=text(payload, "eventType") or UPDATED,
        seq_no=integer(payload, "seqNo"),
        trigger_reason=text(payload, "triggerReason"),
        offline=flag(payload, "offline") or False,
        reported_at=at,
        evse_id=integer(evse, "id"),
        connector_id=integer(evse, "connectorId"),
        charging_state=text(info, "chargingState"),
        stopped_reason=text(info, "stoppedReason"),
        reservation_id=integer(payload, "reservationId"),
        remote_start_id=integer(info, "remoteStartId"),
        id_token=None if shown is None else shown.value,
        id_token_type=None if shown is None else shown.type,
        first_register_mwh=span.first_mwh,
        last_register_mwh=span.last_mwh,
        register_phases=phases,
        flags=frozenset(flags),
        received_at=station.clock.now(),
    )


def _transaction_id(info: JsonObject) -> str | None:
    """The id as text, whatever it is; None when there is none."""
    value = info.get("transactionId")
    if value is None or value == "":
        return None
    return value[:MAX_TEXT] if isinstance(value, str) else raw(value)[:MAX_TEXT]


def _object(payload: JsonObject, name: str) -> JsonObject:
    value = payload.get(name)
    return value if isinstance(value, dict) else {}
