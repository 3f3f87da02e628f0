"""GET /api/v1/actions: the commands there are, and what each of them takes."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import Field, TypeAdapter

from csms.api.models import Shape
from csms.api.routing import Call, Reply
from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.ocpp.commands import COMMANDS
from csms.ocpp.commands.command import Command


class ActionShape(Shape):
    """A command in our words."""

    command: str
    summary: str
    command_class: CommandClass = Field(
        description="What follows an attempt of unknown outcome: `A` and `B` are sent again, `C`"
        " is not. Some commands are of another class with some parameters."
    )
    one_station: bool = Field(
        description="It names a thing of one station, or is made by what we know of it, and cannot"
        " be sent to several."
    )
    actions: dict[OcppVersion, str] = Field(
        description="The action it is in each version that has it."
    )
    params: dict[str, Any] = Field(
        description="JSON Schema. Parameters that do not go together, or that a version cannot"
        " say, are refused with a reason all the same."
    )

    @classmethod
    def of(cls, command: Command) -> ActionShape:
        """The command as it is shown."""
        return cls(
            command=command.name,
            summary=command.summary,
            command_class=command.command_class,
            one_station=command.single_target or command.prepare is not None,
            actions=dict(command.actions),
            params=_schema(command.params),
        )


class ActionList(Shape):
    """All commands by name."""

    items: list[ActionShape]


async def list_actions(call: Call[None, None]) -> Reply:
    """All of them; what else OCPP has can be sent as it is."""
    return Reply(_all(), is_personal=False)


@cache
def _all() -> ActionList:
    return ActionList(items=[ActionShape.of(COMMANDS[name]) for name in sorted(COMMANDS)])


def _schema(params: type[Any]) -> dict[str, Any]:
    schema = TypeAdapter(params).json_schema()
    for part in (schema, *schema.get("$defs", {}).values()):
        if part.get("type") == "object":
            part["additionalProperties"] = False
    return schema
