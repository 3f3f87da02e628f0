"""/api/v1/stations/{station_id}/credentials: a new password, shown or told, or none asked for."""

from __future__ import annotations

from pydantic import Field

from csms.api.models import Shape, Strict
from csms.api.once import once
from csms.api.routing import Call, Reply
from csms.api.v1.commands import carry, failure, once_within
from csms.api.v1.stations import find
from csms.domain.jobs import ItemState, Lane
from csms.domain.permissions import Role
from csms.domain.stations import Station
from csms.errors import Forbidden
from csms.jobs.kinds import password_rotation
from csms.services import credentials
from csms.services.password_rotation import rotated_by_hand
from csms.store.database import Tx


class Rotate(Strict):
    """How the new password gets to the station."""

    push: bool = Field(
        default=False,
        description="Tell the station over OCPP and show it to nobody; else it is shown here,"
        " to be entered at the station.",
    )


class RotatedCredentials(Shape):
    """The station's new password."""

    station_id: str
    identity: str
    password: str | None = Field(
        description="The only valid one from now on, shown this once; null in a replay and when"
        " the station was told."
    )
    pushed: str | None = Field(
        description="What the station answered when it was told: with `Accepted` the old password"
        " is refused from now on, else both are valid until it uses the new one."
    )


async def rotate(call: Call[Rotate | None, None]) -> Reply:
    """200; when the station is told and does not take it, as for a command, or 409 `rejected`."""
    return await (_push(call) if call.body is not None and call.body.push else _show(call))


async def waive(call: Call[None, None]) -> Reply:
    """204; it is let in whatever it shows, until it is given a password. For admins."""

    def write(tx: Tx) -> None:
        station = find(tx, call.path["station_id"], call.principal)
        if call.principal.role is not Role.ADMIN:
            raise Forbidden("only an admin lets a station in without a password")
        credentials.waive(tx, station)

    await call.deps.db.write(write)
    return Reply(status=204)


async def _show(call: Call[Rotate | None, None]) -> Reply:
    def make(tx: Tx) -> tuple[str, RotatedCredentials]:
        station = find(tx, call.path["station_id"], call.principal)
        password = call.deps.passwords.rotate(tx, station.id)
        rotated_by_hand(tx, station.id)
        return station.uuid, _rotated(station, password=password)

    def again(tx: Tx, uuid: str) -> RotatedCredentials:
        return _rotated(find(tx, uuid, call.principal))

    rotated, headers = await once(call, "credentials", make, again=again)
    return Reply(rotated, headers={**headers, "Cache-Control": "no-store"})


async def _push(call: Call[Rotate | None, None]) -> Reply:
    deps = call.deps
    station = await deps.db.read(lambda tx: find(tx, call.path["station_id"], call.principal))
    timeout_s = deps.settings.command_timeout_s
    submission = password_rotation.submission(
        principal=call.principal,
        targets=[station],
        lane=Lane.INTERACTIVE,
        hidden=True,
        policy=once_within(deps.settings.policy, timeout_s),
    )
    carried = await carry(call, submission, timeout_s)
    if carried.item.state is not ItemState.SUCCEEDED:
        return failure(carried)
    pushed = carried.item.response_status or "Accepted"  # shown by its use
    return Reply(_rotated(station, pushed=pushed), headers=carried.headers)


def _rotated(
    station: Station, *, password: str | None = None, pushed: str | None = None
) -> RotatedCredentials:
    return RotatedCredentials(
        station_id=station.uuid, identity=station.identity, password=password, pushed=pushed
    )
