"""Letting unknown stations in for a while: open the window, look at it, close it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from csms.api import times
from csms.api.models import Shape, Strict
from csms.api.routing import Call, Reply
from csms.api.v1.inbox import location_id_of, require_unbound
from csms.api.v1.shapes import Instant
from csms.domain.onboarding import Onboarding
from csms.services.onboarding import MAX_MINUTES, Opening
from csms.store import locations
from csms.store import stations as station_store
from csms.store.database import ReadTx

DEFAULT_MINUTES = 5


class OnboardingWindow(Strict):
    """How long, and where the stations stand that come in."""

    minutes: int = Field(default=DEFAULT_MINUTES, ge=1, le=MAX_MINUTES)
    location_id: str | None = None


class LetIn(Shape):
    """A station that came in through the window."""

    station_id: str
    identity: str
    password_from: Literal["station", "none"] = Field(
        description="`station`: the password that it showed, or its certificate, is its own."
        " `none`: it showed neither, and is told a password over OCPP after its first boot; until"
        " it has taken that, it comes in only while the window is open."
    )


class OnboardingShape(Shape):
    """What happens to an unknown station that connects now."""

    mode: Onboarding = Field(description="The setting `onboarding.mode`; counts while not open.")
    open: bool = Field(description="Whether unknown stations are let in.")
    until: Instant | None
    location_id: str | None
    stations: list[LetIn]


async def show(call: Call[None, None]) -> Reply:
    """The window, or that there is none."""
    require_unbound(call.principal)
    return Reply(await _shape(call, call.deps.endpoint.window.present))


async def open_window(call: Call[OnboardingWindow | None, None]) -> Reply:
    """200; a window that is open already is replaced by this one."""
    require_unbound(call.principal)
    wanted, deps = call.body or OnboardingWindow(), call.deps
    location_id = await deps.db.read(lambda tx: location_id_of(tx, wanted.location_id))
    opening = await deps.endpoint.window.open(deps.db, wanted.minutes, location_id)
    deps.hub.send_held_away()
    return Reply(await _shape(call, opening))


async def close_window(call: Call[None, None]) -> Reply:
    """204, also when none was open; who is in stays in."""
    require_unbound(call.principal)
    await call.deps.endpoint.window.close(call.deps.db)
    return Reply(status=204)


async def _shape(
    call: Call[OnboardingWindow | None, None] | Call[None, None], opening: Opening | None
) -> OnboardingShape:
    mode = call.deps.hub.settings.onboarding
    if opening is None:
        return OnboardingShape(mode=mode, open=False, until=None, location_id=None, stations=[])

    def look(tx: ReadTx) -> OnboardingShape:
        at = opening.location_id
        ids = sorted(opening.station_ids)
        found = [station for one in ids if (station := station_store.find(tx, one)) is not None]
        return OnboardingShape(
            mode=mode,
            open=True,
            until=times.micros(opening.until),
            location_id=None if at is None else locations.uuid_of(tx, at),
            stations=[
                LetIn(
                    station_id=station.uuid,
                    identity=station.identity,
                    password_from="none" if station.id in opening.guests else "station",
                )
                for station in found
            ],
        )

    return await call.deps.db.read(look)
