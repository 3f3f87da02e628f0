"""Charging profiles in words of OCPP 1.6: whether a station may be sent one as it was given."""

from __future__ import annotations

from collections.abc import Callable

from csms.domain.charging_profiles import ChargingProfile
from csms.errors import Invalid
from csms.ocpp.charging_profiles import params_of_v16, path_v16
from csms.ocpp.commands import params as parameters
from csms.ocpp.frames import JsonObject


def check(payload: JsonObject, name: str, rules: Callable[[ChargingProfile], None]) -> None:
    """Raise Invalid, with the path into `payload`, when its profile `name` breaks the rules."""
    try:
        rules(parameters.parse(ChargingProfile, params_of_v16(payload[name])))
    except Invalid as error:
        raise Invalid(
            error.message,
            loc=_path(error.loc, name),
            kind=error.kind,
            given=error.given,
            code=error.code,
        ) from error


def _path(loc: tuple[str | int, ...], name: str) -> tuple[str | int, ...]:
    if loc == ("evse_id",):
        return ("connectorId",)
    return (name, *path_v16(loc[1:] if loc[:1] == ("charging_profile",) else loc))
