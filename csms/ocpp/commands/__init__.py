"""Every order we can give a station: the commands by name, and raw actions by schema."""

from __future__ import annotations

from typing import Any

import orjson

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.errors import Invalid
from csms.ocpp import directions, schemas
from csms.ocpp.commands import (
    change_availability,
    clear_cache,
    data_transfer,
    get_variables,
    request_start_transaction,
    request_stop_transaction,
    reset,
    set_variables,
    trigger_message,
    unlock_connector,
)
from csms.ocpp.commands import params as parameters
from csms.ocpp.commands.command import Command, Order
from csms.ocpp.commands.passwords import refuse_password
from csms.ocpp.frames import JsonObject

# No station takes more in one message; explaining what is wrong with a larger one takes seconds.
MAX_PAYLOAD_BYTES = 64 * 1024

COMMANDS: dict[str, Command] = {
    module.COMMAND.name: module.COMMAND
    for module in (
        change_availability,
        clear_cache,
        data_transfer,
        get_variables,
        request_start_transaction,
        request_stop_transaction,
        reset,
        set_variables,
        trigger_message,
        unlock_connector,
    )
}

_BY_ACTION = {
    (version, action): command
    for command in COMMANDS.values()
    for version, action in command.actions.items()
}


def by_action(version: OcppVersion, action: str) -> Command | None:
    """The command that an action of `version` is, when it is one of ours."""
    return _BY_ACTION.get((version, action))


def for_action(version: OcppVersion, action: str) -> Command:
    """The command of an action, or how to treat one that is only passed through."""
    return by_action(version, action) or _passed_through(version, action)


def typed(version: OcppVersion, name: str, values: JsonObject) -> Order:
    """The checked CALL of a command in our words, for a station of `version`.

    Raises Invalid with the path into `values`, or NotSupportedByVersion.
    """
    command = COMMANDS.get(name)
    if command is None:
        known = ", ".join(sorted(COMMANDS))
        raise Invalid(f"unknown command {name!r}; known are: {known}", code="unknown_command")
    order = command.order(version, parameters.parse(command.params, values))
    return raw(version, order.action, order.payload)


def raw(version: OcppVersion, action: str, payload: JsonObject) -> Order:
    """The CALL as given; raises Invalid with the path into `payload` when it must not go out."""
    check(version, action, payload)
    return Order(action, payload)


def check(version: OcppVersion, action: str, payload: JsonObject) -> None:
    """Raise Invalid when `action` is not one for stations or its schema refuses `payload`."""
    if not schemas.knows(version, action):
        raise Invalid(f"OCPP {version.value} has no action {action!r}", code="unknown_action")
    if not directions.goes_to_station(version, action):
        raise Invalid(f"{action} is sent by stations, not to them", code="unknown_action")
    if len(orjson.dumps(payload)) > MAX_PAYLOAD_BYTES:
        raise Invalid(f"a payload has at most {MAX_PAYLOAD_BYTES} bytes", code="too_large")
    refuse_password(action, payload)
    violation = schemas.violation(version, action, "request", payload)
    if violation is not None:
        raise Invalid(violation.message, loc=tuple(violation.path), kind="schema")


def _passed_through(version: OcppVersion, action: str) -> Command:
    def encode(payload: Any) -> Order:
        return Order(action, payload)

    # Every Get… of every version only reads; of the rest we know nothing.
    reads = action.startswith("Get")
    return Command(
        name=action,
        summary=f"{action}, passed through",
        command_class=CommandClass.A if reads else CommandClass.C,
        params=dict,
        actions={version: action},
        encode={version: encode},
    )
