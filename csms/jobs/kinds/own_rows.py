"""What the kinds have in common whose items are one transaction of our own, and no CALL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from csms.domain.jobs import ItemState, Job, JobItem
from csms.domain.permissions import Scope
from csms.jobs import permits
from csms.jobs.kinds.no_calls import SendsNoCall
from csms.jobs.port import Admission, Done, Go, Intent, Result
from csms.ocpp.frames import JsonObject
from csms.store import stations
from csms.store.database import Tx

Act = Callable[[Tx, Job, JobItem], JsonObject | None]
"""What an item does, in the transaction that settles it; returns what is told of it."""


class OwnRowsRunner(SendsNoCall):
    """Runs such items: done once, because what they do and that it is done are one commit."""

    first_step: str | None = None
    late_effects: bool = False

    def __init__(self, name: str, scope: Scope, act: Act) -> None:
        self.name = name
        self._scope = scope
        self._act = act

    def keep(self, params: dict[str, Any]) -> dict[str, Any]:
        """There are no secrets among them."""
        return params

    def admit(self, job: Job, item: JobItem) -> Admission:
        """Nothing has to be waited for."""
        return Go()

    def intent(self, job: Job, item: JobItem) -> Intent | None:
        """Nothing leaves the process."""
        return None

    def permitted(self, tx: Tx, job: Job, items: Sequence[JobItem]) -> Sequence[JobItem]:
        """Those whose station exists within the submitter's reach; all where there are none."""
        places = stations.places(tx, [item.target for item in items if item.target is not None])
        reached = {
            location_id: permits.may_act(tx, job, self._scope, location_id)
            for location_id in {None, *places.values()}
        }
        return [
            item
            for item in items
            if (reached[None] if item.target is None else self._is_there(item, places, reached))
        ]

    async def run(
        self, job: Job, item: JobItem, intent: Intent | None, on_sent: Callable[[], None]
    ) -> Result:
        """The whole of it happens with the commit."""
        told: JsonObject = {}

        def effect(tx: Tx) -> None:
            # The result is written after its effect, so it says what came of this very attempt.
            told.clear()
            told.update(self._act(tx, job, item) or {})

        return Done(ItemState.SUCCEEDED, response=told, effect=effect)

    def discard(self, tx: Tx, job: Job, item: JobItem) -> int | None:
        """What failed was rolled back."""
        return item.target

    @staticmethod
    def _is_there(
        item: JobItem, places: dict[int, int | None], reached: dict[int | None, bool]
    ) -> bool:
        return item.target in places and reached[places[item.target]]
