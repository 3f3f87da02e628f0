"""Findings natively: of one station and of all, narrowed and in pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from csms.domain.lint import Direction, Finding, Rule
from csms.domain.permissions import Role
from csms.domain.stations import BootReport, NewStation
from csms.domain.versions import OcppVersion
from csms.events import Event
from csms.services import locations, stations, tokens
from csms.services.lint import Lint, Origin
from csms.store import stations as station_store

if TYPE_CHECKING:
    from csms.domain.stations import Station
    from tests.api.conftest import Api

PATH = "/api/v1/lint"


async def make(api: Api, identity: str, firmware: str = "1.0", **more: Any) -> Station:
    made = await api.deps.db.write(lambda tx: stations.create(tx, NewStation(identity, **more)))
    report = BootReport("Acme", f"M-{identity}", None, firmware, None, "{}")
    await api.deps.db.write(lambda tx: station_store.record_boot(tx, made.id, report))
    return made


async def note(api: Api, station: Station, *actions: str) -> None:
    lint = Lint(api.deps.db, api.deps.clock)
    for action in actions:
        finding = Finding(Rule.TOO_LONG, "info", "OCPP 1.6 6.47", "x" * 60)
        lint.note(Origin(station.id, OcppVersion.V16, Direction.IN, action), [finding], {})
    await lint.close()


async def items(api: Api, path: str, **more: Any) -> list[dict[str, Any]]:
    response = await api.get(path, **more)
    assert response.status == 200, await response.text()
    return (await response.json())["items"]


async def test_a_finding_says_what_where_since_when_and_how_often(api: Api) -> None:
    station = await make(api, "CP-1")
    await note(api, station, "StatusNotification")
    assert await items(api, f"/api/v1/stations/{station.uuid}/lint", role="viewer") == [
        {
            "station_id": station.uuid,
            "identity": "CP-1",
            "vendor": "Acme",
            "model": "M-CP-1",
            "firmware_version": "1.0",
            "ocpp_version": "1.6",
            "direction": "in",
            "action": "StatusNotification",
            "rule": "too-long",
            "path": "info",
            "clause": "OCPP 1.6 6.47",
            "example": "x" * 60,
            "count": 1,
            "first_seen_at": "2026-05-01T12:00:00.000000Z",
            "last_seen_at": "2026-05-01T12:00:00.000000Z",
        }
    ]


async def test_the_list_pages_and_the_newest_kind_comes_first(api: Api) -> None:
    station = await make(api, "CP-1")
    for action in "ABC":
        await note(api, station, action)
    first = await (await api.get(f"{PATH}?limit=2")).json()
    rest = await (await api.get(f"{PATH}?limit=2&cursor={first['next_cursor']}")).json()
    assert [one["action"] for one in first["items"] + rest["items"]] == ["C", "B", "A"]
    assert rest["next_cursor"] is None


async def test_every_filter_narrows(api: Api) -> None:
    one, two = await make(api, "CP-1"), await make(api, "CP-2", "2.0")
    await note(api, one, "A", "B")
    await note(api, two, "B")
    for query, number in (
        ("firmware=1.0", 2),
        ("firmware=2.0&action=B", 1),
        ("vendor=Acme", 3),
        ("vendor=acme", 0),
        ("model=M-CP-2", 1),
        ("action=B", 2),
        ("rule=too-long", 3),
        ("rule=wrong-type", 0),
        ("ocpp_version=1.6", 3),
        ("ocpp_version=2.1", 0),
    ):
        assert len(await items(api, f"{PATH}?{query}")) == number, query
    assert 422 == (await api.get(f"{PATH}?rule=too-wrong")).status
    found = await items(api, "/api/v1/stations/identity:CP-1/lint?action=A")
    assert [entry["action"] for entry in found] == ["A"]


async def test_a_bound_token_sees_findings_of_its_stations_only(api: Api) -> None:
    place = await api.deps.db.write(lambda tx: locations.create(tx, name="Depot"))
    inside, outside = await make(api, "IN", location_id=place.id), await make(api, "OUT")
    await note(api, inside, "A")
    await note(api, outside, "A")
    _, api.bearers["bound"] = await api.deps.db.write(
        lambda tx: tokens.create(
            tx, name="site", role=Role.VIEWER, location_ids=frozenset({place.id})
        )
    )
    assert [one["identity"] for one in await items(api, PATH, role="bound")] == ["IN"]
    path = f"/api/v1/stations/{outside.uuid}/lint"
    assert (await api.get(path, role="bound")).status == 404


async def test_a_station_is_made_strict_and_lenient_again(api: Api) -> None:
    told: list[Any] = []
    api.deps.bus.subscribe(Event, lambda event: told.append(event.data.get("strict", "untold")))
    station = await make(api, "CP-1")
    path = f"/api/v1/stations/{station.uuid}"
    assert (await (await api.get(path)).json())["strict"] is None
    for wanted in (True, False, None):
        changed = await api.request("PATCH", path, json={"strict": wanted})
        assert (changed.status, (await changed.json())["strict"]) == (200, wanted)
    assert told[-3:] == [True, False, None]
    renamed = await (await api.request("PATCH", path, json={"name": "Bay 1"})).json()
    assert (renamed["name"], renamed["strict"], told[-1]) == ("Bay 1", None, "untold")
    assert (await api.request("PATCH", path, json={})).status == 200
    assert (await api.request("PATCH", path, json={"strict": "yes"})).status == 422
    assert (await api.request("PATCH", path, json={"identity": "X"})).status == 422
