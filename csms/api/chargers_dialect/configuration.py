"""The settings of a charger: read by key, and changed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Annotated, Any, NamedTuple

from pydantic import Field, StringConstraints

from csms.api.chargers_dialect.asking import ask, unkeyed
from csms.api.chargers_dialect.queued import Order, in_event
from csms.api.chargers_dialect.targets import OneCharger, one_charger, version_of
from csms.api.models import PLAIN, Lenient, LenientQuery, Shape
from csms.api.routing import Call, Reply
from csms.domain.device_model import Variable, VariableKey
from csms.domain.jobs import ItemState, JobItem
from csms.domain.permissions import Scope
from csms.domain.stations import Station
from csms.domain.versions import OcppVersion
from csms.errors import CsmsError, Invalid, NotSupportedByVersion
from csms.jobs.kinds import command
from csms.jobs.kinds.command import Wanted
from csms.ocpp import commands
from csms.ocpp.commands.command import ACCEPTING
from csms.ocpp.variables import V16_COMPONENT, variable_v2x
from csms.services import station_views

MOST_KEYS = 50
_COMMAND = "set_variables"
# `Component[instance]#evse.connector.Variable[instance]`; the brackets and the EVSE only where
# there are several.
_NAME = re.compile(
    r"(?P<component>[^.\[\]#]{1,50})(?:\[(?P<component_instance>[^\[\]]{1,50})\])?"
    r"(?:#(?P<evse_id>[0-9]{1,4})(?:\.(?P<connector_id>[0-9]{1,4}))?)?"
    r"\.(?P<variable>[^.\[\]#]{1,50})(?:\[(?P<variable_instance>[^\[\]]{1,50})\])?"
)

Key = Annotated[str, StringConstraints(min_length=1, max_length=250, pattern=PLAIN)]
Value = Annotated[str, StringConstraints(max_length=2500, pattern=PLAIN)]


class Configuration(Lenient):
    """Settings by key: of OCPP 1.6 its own, of 2.x `Component.Variable`."""

    configuration: dict[Key, Value] = Field(min_length=1, max_length=MOST_KEYS)


class ConfigurationCommand(Lenient):
    """Change settings, one after the other."""

    target: OneCharger
    event: Configuration


class ConfigurationAnswer(Shape):
    """Which settings the charger took."""

    status: str
    configured: list[str]
    msg: str


class ConfigurationKeys(LenientQuery):
    """Which settings."""

    keys: str | None = Field(
        default=None, max_length=10_000, description="Separated by commas; all when left out."
    )

    @property
    def wanted(self) -> list[str]:
        """The keys, each once."""
        named = (key.strip() for key in (self.keys or "").split(","))
        return list(dict.fromkeys(key for key in named if key))


class ConfigurationEntry(Shape):
    """A setting."""

    key: str
    value: str


class ConfigurationList(Shape):
    """Settings; what a charger does not have, or does not tell, is left out."""

    configuration: list[ConfigurationEntry]


async def change(call: Call[ConfigurationCommand, None]) -> Reply:
    """POST /ocpp/commands/configuration; a refused setting stops none of the rest."""
    target, event = call.body.target, call.body.event
    station = (await one_charger(call, target.charger_id)).stations[0]
    version = version_of(call, station)
    wanted = {
        key: {**_named(key, version), "value": value} for key, value in event.configuration.items()
    }
    try:  # all of it before any of it goes out
        command.check(Wanted(command=_COMMAND, params={"variables": list(wanted.values())}))
    except Invalid as error:
        raise in_event(error) from error
    words: dict[str, str] = {}
    for key, variable in wanted.items():
        params = {"variables": [variable]}
        try:
            commands.typed(version, _COMMAND, params)
        except NotSupportedByVersion:
            words[key] = "NotSupported"
        else:
            item = await ask(unkeyed(call), station, Order("configuration", _COMMAND, params))
            words[key] = _word(item)
    return Reply(_answer(words), status=202)


async def show(call: Call[None, ConfigurationKeys]) -> Reply:
    """GET /ocpp/chargers/{charger_id}/configuration: what is known, else what it answers now."""
    station = (await one_charger(call, call.path["charger_id"])).stations[0]
    version = version_of(call, station)
    places = {key: _place(key, version) for key in call.query.wanted}
    known = await _known(call, station)
    missing = [key for key, place in places.items() if place not in known]
    if missing or (not places and version is OcppVersion.V16):  # 2.x tells all in a report only
        with suppress(CsmsError):  # then it stays at what is known
            await _read_now(call, station, missing)
            known = await _known(call, station)
    found = [known[place]._replace(key=key) for key, place in places.items() if place in known]
    shown = found if places else known.values()
    return Reply({"configuration": [one._asdict() for one in shown]})


class _Setting(NamedTuple):
    key: str
    value: str


async def _known(call: Call[Any, Any], station: Station) -> dict[str, _Setting]:
    return _values(await station_views.list_variables(call.deps.db, station.id))


async def _read_now(call: Call[Any, Any], station: Station, keys: list[str]) -> None:
    if not call.principal.may(Scope.COMMANDS_SEND):
        return
    version = version_of(call, station)
    variables = [_named(key, version) for key in keys]
    await ask(call, station, Order("configuration", "get_variables", {"variables": variables}))


def _values(variables: Iterable[Variable]) -> dict[str, _Setting]:
    """What has an Actual value, by its folded key."""
    found: dict[str, _Setting] = {}
    for variable in variables:
        value = next((one.value for one in variable.attributes if one.type == "Actual"), None)
        if value is not None:
            key = _text(variable.key)
            found[key.casefold()] = _Setting(key, value)
    return found


def _text(key: VariableKey) -> str:
    if key.component == V16_COMPONENT:
        return key.variable
    evse = "" if key.evse_id is None else f"#{key.evse_id}"
    if key.connector_id is not None:
        evse += f".{key.connector_id}"
    component = f"{key.component}{_bracketed(key.component_instance)}"
    return f"{component}{evse}.{key.variable}{_bracketed(key.variable_instance)}"


def _bracketed(instance: str | None) -> str:
    return "" if instance is None else f"[{instance}]"


def _named(key: str, version: OcppVersion) -> dict[str, Any]:
    """The variable that a key means; one of OCPP 1.6 where it does not look like one of 2.x."""
    found = None if version is OcppVersion.V16 else _NAME.fullmatch(key)
    if found is None:
        return {"variable": key}
    numbers = ("evse_id", "connector_id")
    return {
        name: int(text) if name in numbers else text
        for name, text in found.groupdict().items()
        if text is not None
    }


def _place(key: str, version: OcppVersion) -> str:
    """Where a setting is kept, folded: 2.x has some keys of OCPP 1.6 under names of its own."""
    if version is not OcppVersion.V16 and _NAME.fullmatch(key) is None:
        with suppress(NotSupportedByVersion):
            key = ".".join(variable_v2x(V16_COMPONENT, key))
    return key.casefold()


def _word(item: JobItem) -> str:
    taken = item.state is ItemState.SUCCEEDED
    return item.response_status or ("Accepted" if taken else "Rejected")


def _answer(words: Mapping[str, str]) -> dict[str, Any]:
    taken = [key for key, word in words.items() if word in ACCEPTING]
    refused = {key: word for key, word in words.items() if word not in ACCEPTING}
    accepted = "RebootRequired" if "RebootRequired" in words.values() else "Accepted"
    msg = f"{len(taken)} of {len(words)} settings were taken."
    if refused:
        msg += " " + ", ".join(f"{key}: {word}" for key, word in refused.items())
    return {
        "status": next(iter(refused.values()), accepted),
        "configured": taken,
        "msg": msg,
    }
