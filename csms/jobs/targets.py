"""Who a job goes to: ids or a filter become items, for good, when the job is accepted."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

from csms.domain.identity import BY_IDENTITY
from csms.domain.jobs import ItemState, NewItem
from csms.domain.permissions import Principal
from csms.errors import Invalid
from csms.store import stations
from csms.store.database import Database, ReadTx
from csms.store.stations import StationFilter


async def resolve(db: Database, principal: Principal, uuids: Iterable[str]) -> list[NewItem]:
    """An item per id, in order, each id once.

    Unknown, deleted, malformed and out of the caller's reach look the same: skipped.
    """
    asked: dict[str, str] = {}
    for uuid in uuids:
        asked.setdefault(uuid.lower(), uuid)

    def look(tx: ReadTx) -> list[NewItem]:
        found = stations.resolve_uuids(tx, list(asked))
        return [_item(given, found.get(uuid), principal) for uuid, given in asked.items()]

    return await db.read(look)


def named(tx: ReadTx, principal: Principal, names: Sequence[str]) -> list[NewItem]:
    """As `resolve`, where a name is an id or `identity:<identity>`; each station once."""
    by_id = [name.lower() for name in names if not name.startswith(BY_IDENTITY)]
    found = stations.resolve_uuids(tx, by_id)
    items: dict[Hashable, NewItem] = {}
    for name in names:
        if name.startswith(BY_IDENTITY):
            station = stations.find_by_identity(tx, name.removeprefix(BY_IDENTITY))
            where = None if station is None else (station.id, station.location_id)
        else:
            where = found.get(name.lower())
        item = _item(name, where, principal)
        items.setdefault(name.lower() if item.target is None else item.target, item)
    return list(items.values())


def matching(tx: ReadTx, wanted: StationFilter, *, at_most: int) -> list[NewItem]:
    """An item per station that is found; raises Invalid when there are more than `at_most`."""
    found = stations.search(tx, wanted, limit=at_most + 1)
    if len(found) > at_most:
        raise Invalid(f"more than {at_most} stations match", loc=("target",), kind="too_long")
    return [NewItem(station.uuid, target=station.id) for station in found]


def _item(given: str, found: tuple[int, int | None] | None, principal: Principal) -> NewItem:
    if found is None or not principal.reaches(found[1]):
        return NewItem(given, state=ItemState.SKIPPED_FORBIDDEN)
    return NewItem(given, target=found[0])
