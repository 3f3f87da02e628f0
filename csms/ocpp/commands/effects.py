"""How the effect of an accepted order is looked for, by the kind of order."""

from __future__ import annotations

from collections.abc import Iterator

from csms.domain.effects import Effect
from csms.ocpp.commands.command import EffectQuery, EvidenceQuery, FindEvidence
from csms.ocpp.frames import JsonObject
from csms.store import evidence
from csms.store.database import ReadTx

_SECOND_US = 1_000_000
# A car takes its time to follow a limit, and after a while another order may count.
_SETTLES_US = 30 * _SECOND_US
_COUNTS_US = 300 * _SECOND_US
_METER_ERROR = 1.05


def follows(find: FindEvidence, *, within_s: int) -> EffectQuery:
    """The evidence that shows an order of unknown outcome shows the effect of an accepted one."""

    def effect(tx: ReadTx, query: EvidenceQuery, age_us: int) -> Effect:
        if find(tx, query) is not None:
            return Effect.SEEN
        return Effect.NOT_SEEN if age_us > within_s * _SECOND_US else Effect.AWAITED

    return effect


def station_limit_is_kept(tx: ReadTx, query: EvidenceQuery, age_us: int) -> Effect | None:
    """Whether a station draws no more than the most that its maximum profile ever allows.

    Grizzl-E 3.09 accepts such a profile and ignores it. Without a sample there is no telling, and
    none of other profiles: one of another purpose or a higher level may go before them.
    """
    profile = query.payload.get("csChargingProfiles") or query.payload.get("chargingProfile") or {}
    limits = [*_limits(profile)]
    units = {unit for unit, _ in limits}
    if profile.get("chargingProfilePurpose") not in _MAXIMUM or len(units) != 1:
        return None
    loads = evidence.list_loads(
        tx,
        station_id=query.station_id,
        after=query.intent_at + _SETTLES_US,
        before=query.intent_at + _COUNTS_US,
    )
    drawn = [load.power_w if units == {"W"} else load.current_a for load in loads]
    known = [one for one in drawn if one is not None]
    if not known:
        return Effect.AWAITED if age_us < _COUNTS_US else None
    most = max(limit for _, limit in limits)
    return Effect.NOT_SEEN if sum(known) > most * _METER_ERROR else Effect.SEEN


_MAXIMUM = frozenset({"ChargePointMaxProfile", "ChargingStationMaxProfile"})


def _limits(profile: JsonObject) -> Iterator[tuple[str, float]]:
    schedules = profile.get("chargingSchedule", [])
    for schedule in [schedules] if isinstance(schedules, dict) else schedules:
        for period in schedule["chargingSchedulePeriod"]:
            if "limit" in period:  # a setpoint of OCPP 2.1 is none
                yield schedule["chargingRateUnit"], period["limit"]
