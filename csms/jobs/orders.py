"""What a command job orders: frozen when it is accepted, encoded for each station's version."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from csms.domain.jobs import CommandClass, Job
from csms.domain.sealing import Seal
from csms.domain.versions import OcppVersion
from csms.errors import NotSupportedByVersion
from csms.ocpp import commands
from csms.ocpp.commands import params as parameters
from csms.ocpp.commands.command import Command, Order
from csms.ocpp.commands.request_ids import freeze
from csms.ocpp.frames import JsonObject
from csms.services.redaction import redacted


def frozen_command(name: str, values: JsonObject) -> dict[str, Any]:
    """A command in our words as it is stored with its job: no id is drawn again."""
    return {"command": name, "params": freeze(commands.COMMANDS[name].params, values)}


def frozen_action(version: OcppVersion, action: str, payload: JsonObject) -> dict[str, Any]:
    """A raw action, and what it says in our words, where stations of other versions know that."""
    frozen = {"version": version.value, "action": action, "payload": payload}
    try:
        name, values = commands.in_our_words(version, action, payload)
    except NotSupportedByVersion:
        return frozen
    return {**frozen, "meaning": frozen_command(name, values)}


def is_order(job: Job) -> bool:
    """Whether the job sends something to stations as it is written in its parameters."""
    return "command" in job.params or "action" in job.params


def command_of(job: Job) -> Command:
    """The command that the job sends, or how to treat an action that is only passed through."""
    return command_in(job.params)


def command_in(params: dict[str, Any]) -> Command:
    """As `command_of`, before there is a job."""
    if "command" in params:
        return commands.COMMANDS[params["command"]]
    return commands.for_action(OcppVersion(params["version"]), params["action"])


def keep(params: dict[str, Any], seal: Seal) -> dict[str, Any]:
    """The order as it is stored and shown; one with passwords is sealed beside it."""
    shown: dict[str, Any] = redacted(params)
    # What is prepared is compared with what is queued, and has nothing to hide.
    if shown == params or command_in(params).prepare is not None:
        return params
    return {**shown, _SEALED: seal.close(params)}


def opened(job: Job, seal: Seal) -> Job:
    """The job with its order as it was given."""
    sealed = job.params.get(_SEALED)
    return job if sealed is None else replace(job, params=seal.open(sealed))


_SEALED = "sealed"


def class_of(job: Job) -> CommandClass:
    """What may follow an attempt of unknown outcome."""
    command = command_of(job)
    if "command" in job.params:
        return command.class_of(parameters.parse(command.params, job.params["params"]))
    return command.command_class


def encode(job: Job, version: OcppVersion) -> Order:
    """The CALL for a station of `version`; raises NotSupportedByVersion."""
    return encode_params(job.params, version)


def encode_params(params: dict[str, Any], version: OcppVersion) -> Order:
    """As `encode`, before there is a job."""
    if "command" in params:
        return commands.typed(version, params["command"], params["params"])
    if params["version"] == version.value:
        return Order(params["action"], params["payload"])
    try:
        return _translated(params, version)
    except NotSupportedByVersion as error:
        raise NotSupportedByVersion(
            f"{params['action']} is not supported by OCPP {version.value}: {error.message}"
        ) from error


def is_as_given(params: dict[str, Any], version: OcppVersion) -> bool:
    """Whether a station of `version` gets a raw action, which nobody may cut into parts."""
    return bool(params.get("version") == version.value)


def _translated(params: dict[str, Any], version: OcppVersion) -> Order:
    meaning = params.get("meaning")
    if meaning is None:  # there is a reason, and it is raised
        given = OcppVersion(params["version"])
        name, values = commands.in_our_words(given, params["action"], params["payload"])
        meaning = frozen_command(name, values)
    return commands.typed(version, meaning["command"], meaning["params"])
