"""A station's local authorization list natively: what is known of it, and replacing it."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from csms.api import times
from csms.api.models import Shape, Strict
from csms.api.routing import Call, Reply
from csms.api.v1 import commands, stations
from csms.api.v1.commands import LONGEST_WAIT_S, SendCommand
from csms.api.v1.shapes import Instant
from csms.domain.id_tokens import AuthorizationStatus
from csms.domain.local_lists import ListEntry
from csms.errors import Invalid
from csms.ocpp.commands.send_local_list import MAX_ENTRIES
from csms.store import local_lists as store
from csms.store.database import ReadTx

Value = Annotated[str, StringConstraints(min_length=1, max_length=255)]
Kind = Annotated[str, StringConstraints(min_length=1, max_length=20)]


class ListEntryShape(Shape):
    """One token of the list."""

    id_token: str
    id_token_type: str | None = Field(description="Null on OCPP 1.6, which has no types.")
    status: str | None
    expires_at: Instant | None
    group_id_token: str | None

    @classmethod
    def of(cls, entry: ListEntry) -> ListEntryShape:
        """The entry as it is shown."""
        return cls(
            id_token=entry.id_token,
            id_token_type=entry.id_token_type or None,
            status=entry.status,
            expires_at=times.micros(entry.expires_at),
            group_id_token=entry.group_id_token,
        )


class LocalListShape(Shape):
    """What is known of a station's list."""

    version: int | None = Field(
        description="By the station's last word; 0: it has none, -1: it cannot have one."
    )
    is_known: bool = Field(description="Whether `entries` are those that the station has.")
    refusal: str | None = Field(description="The word with which it refused the last update.")
    entries: list[ListEntryShape] | None


class ListEntryBody(Strict):
    """One token of the new list."""

    id_token: Value
    id_token_type: Kind | None = None
    status: Annotated[AuthorizationStatus, Field(strict=False)] = AuthorizationStatus.ACCEPTED
    expires_at: AwareDatetime | None = None
    group_id_token: Value | None = None
    group_id_token_type: Kind | None = None


class NewLocalList(Strict):
    """The whole list: its entries, or all id tokens that were decided about."""

    entries: list[ListEntryBody] | None = Field(default=None, max_length=MAX_ENTRIES)
    source: Literal["id_tokens"] | None = None
    timeout_s: float | None = Field(default=None, ge=1, le=LONGEST_WAIT_S)

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.entries is None) == (self.source is None):
            raise ValueError("give either entries or source")
        return self


async def show(call: Call[None, None]) -> Reply:
    """As the station took it from us; null entries where it may have others."""

    def look(tx: ReadTx) -> LocalListShape:
        station = stations.find(tx, call.path["station_id"], call.principal)
        known = store.find(tx, station.id)
        entries = store.list_entries(tx, station.id) if known.is_known else None
        return LocalListShape(
            version=known.version,
            is_known=known.is_known,
            refusal=known.refusal,
            entries=None if entries is None else [ListEntryShape.of(entry) for entry in entries],
        )

    return Reply(await call.deps.db.read(look))


async def put(call: Call[NewLocalList, None]) -> Reply:
    """Send the whole list; the answer is that of a command."""
    body = call.body
    if body.source is not None:
        return await _send(call, {"source": body.source}, body.timeout_s)
    given = body.entries or []
    entries = [entry.model_dump(mode="json", exclude_none=True) for entry in given]
    try:
        return await _send(call, {"entries": entries}, body.timeout_s)
    except Invalid as error:
        # They stand in `params` of a command, but not here.
        place = error.loc[1:] if error.loc[:1] == ("params",) else error.loc
        raise Invalid(
            error.message, loc=place, kind=error.kind, given=error.given, code=error.code
        ) from error


async def delete(call: Call[None, None]) -> Reply:
    """Send an empty list; the answer is that of a command."""
    return await _send(call, {"entries": []}, None)


async def _send(call: Call[Any, None], params: dict[str, Any], timeout_s: float | None) -> Reply:
    order = SendCommand(
        command="send_local_list",
        params={"update_type": "Full", **params},
        timeout_s=timeout_s,
    )
    return await commands.send(replace(call, body=order))
