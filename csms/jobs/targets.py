"""Who a bulk command goes to: public ids become items, for good, when the job is accepted."""

from __future__ import annotations

from collections.abc import Iterable

from csms.domain.jobs import ItemState, NewItem
from csms.domain.permissions import Principal
from csms.store import stations
from csms.store.database import Database, ReadTx


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


def _item(given: str, found: tuple[int, int | None] | None, principal: Principal) -> NewItem:
    if found is None or not principal.reaches(found[1]):
        return NewItem(given, state=ItemState.SKIPPED_FORBIDDEN)
    return NewItem(given, target=found[0])
