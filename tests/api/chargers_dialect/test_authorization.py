"""The cache and the local list of a charger."""

from __future__ import annotations

from typing import Any

from csms.api.chargers_dialect.authorization import (
    CacheAnswer,
    LocalAuthListAnswer,
    LocalAuthListPage,
)
from csms.domain.permissions import Role
from csms.domain.stations import Station
from tests.api.live import Live


async def connected(live: Live, answer: dict[str, Any] | None = None) -> Station:
    station = await live.station("S1")
    live.hub.automatic = lambda _: answer or {"status": "Accepted"}
    live.hub.connect(station.id)
    return station


async def order(live: Live, slug: str, charger_id: str, status: int = 202, **event: Any) -> Any:
    body = {"target": {"charger_id": charger_id}, "event": event}
    return await live.ok("POST", f"/ocpp/commands/{slug}", status, json=body)


def tags(*names: str) -> list[dict[str, str]]:
    return [{"id_tag": name} for name in names]


async def test_the_cache_is_cleared(live: Live) -> None:
    station = await connected(live)
    answer = await order(live, "cache/reset", station.uuid)
    CacheAnswer.model_validate(answer)
    assert answer == {"msg": "The cache is cleared.", "cleared_entries": None}
    live.hub.automatic = lambda _: {"status": "Rejected"}
    answer = await order(live, "cache/reset", station.uuid)
    assert answer == {"msg": "The charger answered Rejected.", "cleared_entries": 0}
    assert [call.action for call in live.hub.calls] == ["ClearCache"] * 2


async def test_a_list_is_sent_shown_and_emptied(live: Live) -> None:
    station = await connected(live)
    entries = [
        {"id_tag": "A", "expiry_date": "2027-01-01T01:00:00+01:00", "parent_id_tag": "P"},
        {"id_tag": "B"},
    ]
    sent = await order(live, "local-auth-list", station.uuid, list_version=5, entries=entries)
    LocalAuthListAnswer.model_validate(sent)
    assert sent == {
        "status": "Accepted",
        "list_version": 5,
        "entries_received": 2,
        "entries_deleted": None,
        "msg": "The charger has the list.",
    }
    path = f"/ocpp/chargers/{station.uuid}/local-auth-list"
    shown = await live.ok("GET", path)
    LocalAuthListPage.model_validate(shown)
    assert shown == {
        "data": [
            {"id_tag": "A", "expiry_date": "2027-01-01T00:00:00Z", "parent_id_tag": "P"},
            {"id_tag": "B", "expiry_date": None, "parent_id_tag": None},
        ],
        "total": 2,
        "page": 1,
        "limit": 50,
    }
    page = await live.ok("GET", f"{path}?page=2&limit=1")
    assert ([one["id_tag"] for one in page["data"]], page["total"]) == (["B"], 2)
    more = await order(
        live,
        "local-auth-list",
        station.uuid,
        list_version=6,
        update_type="Differential",
        entries=tags("C"),
    )
    assert (more["list_version"], more["entries_deleted"]) == (6, 0)
    gone = await order(live, "clear-local-auth-list", station.uuid)
    assert (gone["status"], gone["list_version"], gone["entries_deleted"]) == ("Accepted", 7, 3)
    assert (await live.ok("GET", path))["data"] == []


async def test_a_refused_list_leaves_what_is_known(live: Live) -> None:
    station = await connected(live, {"status": "Failed"})
    answer = await order(live, "local-auth-list", station.uuid, list_version=5, entries=tags("A"))
    assert (answer["status"], answer["list_version"], answer["entries_received"]) == (
        "Failed",
        None,
        1,
    )


async def test_bad_input_and_chargers_that_do_not_answer(live: Live) -> None:
    station = await live.station("S1")
    good = {"list_version": 1, "entries": tags("A")}
    for bad in (
        {"list_version": 0, "entries": []},
        {"list_version": 1},
        {"list_version": 1, "entries": tags("A") * 301},
        {"list_version": 1, "entries": [{"id_tag": "A", "expiry_date": "2027-01-01T00:00:00"}]},
        {**good, "update_type": "Other"},
    ):
        await order(live, "local-auth-list", station.uuid, 422, **bad)
    slugs = {"cache/reset": {}, "clear-local-auth-list": {}, "local-auth-list": good}
    for slug, event in slugs.items():
        offline = await order(live, slug, station.uuid, 409, **event)
        assert offline == {"detail": "The charger is offline."}
    live.hub.automatic = lambda _: live.hub.drop(station.id)
    live.hub.connect(station.id)
    lost = await order(live, "cache/reset", station.uuid, 504)
    assert "may have run" in lost["detail"]
    live.hub.connect(station.id)
    live.hub.automatic = lambda _: {"status": "Accepted"}
    twice = await order(
        live, "local-auth-list", station.uuid, 422, list_version=1, entries=tags("A", "a")
    )
    assert twice["detail"][0]["loc"] == ["body", "event"]


async def test_only_those_of_the_place_may(live: Live) -> None:
    station = await connected(live)
    await live.location()
    await live.token("bound", Role.OPERATOR, 1)
    body = {"target": {"charger_id": station.uuid}, "event": {"list_version": 1, "entries": []}}
    for slug in ("cache/reset", "local-auth-list", "clear-local-auth-list"):
        await live.ok("POST", f"/ocpp/commands/{slug}", 404, json=body, role="bound")
        await live.ok("POST", f"/ocpp/commands/{slug}", 403, json=body, role="viewer")
    path = f"/ocpp/chargers/{station.uuid}/local-auth-list"
    await live.ok("GET", path, 404, role="bound")
    await live.ok("GET", path, role="viewer")
    assert live.hub.calls == []
