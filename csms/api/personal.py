"""What names a person, for callers who may not read id tokens."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from csms.domain.permissions import Principal, Scope
from csms.errors import Forbidden
from csms.services.masking import masked, masked_json

CALLER = web.RequestKey("caller", Principal)
_OFF_LOOP_FROM_BYTES = 64 * 1024


async def shown_body(request: web.Request, body: bytes) -> bytes:
    """A body, as its caller may see it."""
    caller = request.get(CALLER)
    if caller is None or sees_people(caller):
        return body
    if len(body) < _OFF_LOOP_FROM_BYTES:
        return masked_json(body)
    return await asyncio.to_thread(masked_json, body)


def shown(caller: Principal, value: Any) -> Any:
    """The same for a part of one."""
    return value if sees_people(caller) else masked(value)


def shown_text(caller: Principal, text: str) -> str:
    """The same for a part that is JSON already."""
    return text if sees_people(caller) else masked_json(text.encode()).decode()


def require_sight(caller: Principal) -> None:
    """Raises Forbidden: whoever looks for an id token learns where it was."""
    if not sees_people(caller):
        raise Forbidden(f"Only with {Scope.ID_TOKENS_READ.value} one can look for an id token")


def sees_people(caller: Principal) -> bool:
    """Whether id tokens are shown."""
    return caller.may(Scope.ID_TOKENS_READ)
