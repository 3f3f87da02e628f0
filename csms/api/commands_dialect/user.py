"""The caller, as the commands dialect knows one: the token is the user."""

from __future__ import annotations

import uuid

from csms.api.models import Shape
from csms.api.routing import Call, Reply

_NAMESPACE = uuid.UUID("6f1f7d0a-3c52-4f0e-9a55-0d9a2f1c7b10")


class CommandsUser(Shape):
    """A user."""

    uuid: str
    name: str
    email: str | None


class CommandsUserAnswer(Shape):
    """The user, wrapped."""

    data: CommandsUser


async def show(call: Call[None, None]) -> Reply:
    """GET /api/v3/user."""
    caller = call.principal
    user_id = uuid.uuid5(_NAMESPACE, caller.id)
    return Reply({"data": {"uuid": str(user_id), "name": caller.name, "email": None}})
