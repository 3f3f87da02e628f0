"""What is done differently for a station, why, and how that showed; and changing it."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from csms.api import times
from csms.api.models import Shape, Strict
from csms.api.routing import Call, Reply
from csms.api.v1.shapes import Instant
from csms.api.v1.stations import find
from csms.domain.quirks import FiredQuirk, WithheldCall
from csms.domain.stations import Station
from csms.ocpp.commands import params
from csms.ocpp.quirks import catalog
from csms.ocpp.quirks.applied import apply, usable
from csms.ocpp.quirks.catalog import Entry
from csms.ocpp.quirks.settings import Quirks
from csms.ocpp.quirks.told import told
from csms.services import quirks
from csms.store import quirks as store
from csms.store.database import ReadTx, Tx


class KnownQuirk(Shape):
    """What is known of stations like this one."""

    id: str
    who: str
    symptom: str
    handling: str
    sources: list[str] = Field(description="Where it was reported, `owner/repository#number`.")
    match_guessed: list[str] = Field(
        description="What it was matched by although nobody has shown how the maker spells it."
    )
    settings: dict[str, Any]

    @classmethod
    def of(cls, entry: Entry) -> KnownQuirk:
        """The row as it is shown."""
        return cls(
            id=entry.id,
            who=entry.who,
            symptom=entry.symptom,
            handling=entry.handling,
            sources=list(entry.sources),
            match_guessed=list(entry.match_guessed),
            settings=dict(entry.settings),
        )


class FiredQuirkShape(Shape):
    """A quirk that made the server act differently."""

    quirk: str = Field(
        description="Id of a known quirk, `operator` for a setting made here, or `station` for a"
        " limit that it told."
    )
    symptom: str | None
    detail: str | None
    connections: int = Field(description="On how many connections it fired.")
    first_fired_at: Instant
    last_fired_at: Instant

    @classmethod
    def of(cls, fired: FiredQuirk) -> FiredQuirkShape:
        """The row as it is shown."""
        entry = catalog.load().get(fired.quirk)
        return cls(
            quirk=fired.quirk,
            symptom=None if entry is None else entry.symptom,
            detail=fired.detail,
            connections=fired.connections,
            first_fired_at=times.micros(fired.first_fired_at),
            last_fired_at=times.micros(fired.last_fired_at),
        )


class WithheldCallShape(Shape):
    """A call that is not sent any more, because the station restarted after it."""

    call: str
    since: Instant

    @classmethod
    def of(cls, withheld: WithheldCall) -> WithheldCallShape:
        """The row as it is shown."""
        return cls(call=withheld.call, since=times.micros(withheld.since))


class QuirksShape(Shape):
    """Everything about one station's quirks."""

    station_id: str
    flapping: bool = Field(description="It comes and goes all the time.")
    settings: dict[str, Any] = Field(
        description="What counts: told by the station, of its maker, set here."
    )
    overrides: dict[str, Any] = Field(description="What was set here; goes before the rest.")
    known: list[KnownQuirk]
    fired: list[FiredQuirkShape]
    withheld: list[WithheldCallShape]


class QuirkSettings(Strict):
    """Settings of this station alone; they replace all that were set before."""

    settings: dict[str, Any]


async def show(call: Call[None, None]) -> Reply:
    """What is known, what was set, and what happened."""
    return Reply(await call.deps.db.read(lambda tx: _shape(tx, call)))


async def change(call: Call[QuirkSettings, None]) -> Reply:
    """Checked one by one; they count from the next message on, some from the next connection."""
    wanted = call.body.settings
    params.parse(Quirks, wanted)

    def write(tx: Tx) -> QuirksShape:
        quirks.override(tx, _station(tx, call).id, wanted)
        return _shape(tx, call)

    return Reply(await call.deps.db.write(write))


async def release(call: Call[None, None]) -> Reply:
    """204; the call is sent again."""
    await call.deps.db.write(
        lambda tx: quirks.release(tx, _station(tx, call).id, call.path["call"])
    )
    return Reply(status=204)


def in_force(tx: ReadTx, station: Station) -> Quirks:
    """What is done differently for a station."""
    known = catalog.known_of(catalog.describe(station, None))
    decided = quirks.of_station(tx, station.id)
    return apply(catalog.NOBODY, known, decided.overrides, told=told(tx, station.id)).settings


def _station(tx: ReadTx, call: Call[Any, Any]) -> Station:
    return find(tx, call.path["station_id"], call.principal)


def _shape(tx: ReadTx, call: Call[Any, Any]) -> QuirksShape:
    station = _station(tx, call)
    decided = quirks.of_station(tx, station.id)
    known = catalog.known_of(catalog.describe(station, None))
    return QuirksShape(
        station_id=station.uuid,
        flapping=call.deps.hub.is_flapping(station.id),
        settings=params.dump(in_force(tx, station)),
        overrides=usable(decided.overrides),
        known=[KnownQuirk.of(entry) for entry in known],
        fired=[FiredQuirkShape.of(one) for one in store.list_fired(tx, station.id)],
        withheld=[WithheldCallShape.of(one) for one in decided.withheld],
    )
