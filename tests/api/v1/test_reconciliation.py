"""The reconciliation inbox natively: what is in it, what is suggested, and who decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from csms.clock import EPOCH
from csms.domain.permissions import Role
from csms.domain.stations import NewStation
from csms.domain.timestamps import read_timestamp
from csms.domain.transactions import StartReport, StopReport
from csms.events import Event
from csms.ocpp.settings import OcppSettings
from csms.services import locations, metering, stations, tokens, transactions
from csms.store import transactions as transaction_store

if TYPE_CHECKING:
    from csms.domain.stations import Station
    from csms.domain.transactions import Transaction
    from tests.api.conftest import Api

PATH = "/api/v1/reconciliation"


@pytest.fixture
async def station(api: Api) -> Station:
    return await api.deps.db.write(lambda tx: stations.create(tx, NewStation("CP-1")))


async def start(api: Api, station: Station, minute: int, tag: str = "TAG", evse: int = 1) -> str:
    at, _ = read_timestamp(f"2026-05-01T10:{minute:02}:00Z", EPOCH)
    report = StartReport(
        evse_id=evse,
        id_token=tag,
        register_mwh=minute * 1000,
        reported_at=at,
        reservation_id=None,
        natural_key=f"{evse}|{minute}",
        flags=frozenset(),
        raw="{}",
    )
    number, _ = await api.deps.db.write(
        lambda tx: transactions.start_v16(tx, station.id, report, OcppSettings().token_policy)
    )
    return str(number)


async def stop(
    api: Api, station: Station, number: str, minute: int, tag: str | None = None
) -> None:
    at, _ = read_timestamp(f"2026-05-01T10:{minute:02}:00Z", EPOCH)
    report = StopReport(
        station_transaction_id=number,
        id_token=tag,
        register_mwh=minute * 1000,
        reported_at=at,
        reason="Local",
        readings=(),
        flags=frozenset(),
        raw=f'{{"meterStop":{minute}}}',
    )
    await api.deps.db.write(
        lambda tx: transactions.stop(tx, station.id, report, OcppSettings().token_policy)
    )


async def find(api: Api, station: Station, number: str) -> Transaction:
    found = await api.deps.db.read(lambda tx: transaction_store.find(tx, station.id, number))
    assert found is not None
    return found


async def listed(api: Api, query: str = "", **more: Any) -> list[dict[str, Any]]:
    response = await api.get(PATH + query, **more)
    assert 200 == response.status, await response.text()
    return (await response.json())["items"]


async def shown(api: Api, entry: dict[str, Any]) -> dict[str, Any]:
    return await (await api.get(f"{PATH}/{entry['id']}")).json()


async def resolve(api: Api, entry: dict[str, Any], **body: Any) -> tuple[int, dict[str, Any]]:
    response = await api.post(f"{PATH}/{entry['id']}/resolve", json=body)
    return response.status, await response.json()


async def test_an_entry_says_what_came_and_what_it_probably_means(api: Api, station: Station):
    first = await start(api, station, 0)
    second = await start(api, station, 5, evse=2)
    await stop(api, station, "-1", 30)
    await stop(api, station, "-1", 30)
    (entry,) = await listed(api, role="viewer")
    assert ("StopTransaction", "unknown_transaction", "-1", 1) == (
        entry["action"],
        entry["cause"],
        entry["station_transaction_id"],
        entry["repeats"],
    )
    assert (None, None, "CP-1") == (entry["resolution"], entry["resolved_at"], entry["identity"])
    detail = await shown(api, entry)
    assert {"meterStop": 30} == detail["message"]
    assert ("end", 2) == (detail["suggestion"]["fix"], detail["suggestion"]["fitting"])
    assert second == detail["suggestion"]["transaction"]["station_transaction_id"]
    assert (await find(api, station, first)).is_open


async def test_applying_ends_the_transaction_and_says_who_and_when(api: Api, station: Station):
    told: list[Event] = []
    api.deps.bus.subscribe(Event, told.append)
    first = await start(api, station, 0)
    await start(api, station, 5, evse=2, tag="OTHER")
    await stop(api, station, "4711", 30)
    (entry,) = await listed(api)
    suggested = (await shown(api, entry))["suggestion"]["transaction"]
    await stop(api, station, suggested["station_transaction_id"], 20)
    status, answer = await resolve(api, entry, action="apply", transaction_id=suggested["id"])
    assert (409, "suggestion_changed") == (status, answer["code"])
    status, answer = await resolve(api, entry, action="apply")
    assert (200, "applied", None) == (status, answer["resolution"], answer["suggestion"])
    assert "2026-05-01T12:00:00.000000Z" == answer["resolved_at"]
    assert answer["resolved_by"]
    found = await find(api, station, first)
    assert (answer["transaction_id"], 30_000) == (found.uuid, found.energy_mwh)
    assert {"reconciled"} == {flag.value for flag in found.flags}
    assert ["reconciliation.added", "reconciliation.resolved"] == [
        event.type for event in told if event.type.startswith("reconciliation")
    ]
    status, answer = await resolve(api, entry, action="dismiss")
    assert (409, "resolved") == (status, answer["code"])
    # The station's own stop, should it come, is not lost either.
    await stop(api, station, first, 50)
    assert 30_000 == (await find(api, station, first)).energy_mwh
    assert ["already_ended"] == [one["cause"] for one in await listed(api, "?state=open")]


async def test_another_stop_of_an_ended_transaction_can_take_its_place(api: Api, station: Station):
    number = await start(api, station, 0)
    await stop(api, station, number, 20)
    await stop(api, station, number, 40)
    (entry,) = await listed(api)
    assert "replace_end" == (await shown(api, entry))["suggestion"]["fix"]
    status, _ = await resolve(api, entry, action="apply")
    assert (200, 40_000) == (status, (await find(api, station, number)).energy_mwh)


async def test_what_is_dismissed_changes_nothing_and_does_not_come_back(api: Api, station: Station):
    await stop(api, station, "-1", 30)
    (entry,) = await listed(api)
    status, answer = await resolve(api, entry, action="apply")
    assert (409, "nothing_suggested") == (status, answer["code"])
    status, answer = await resolve(api, entry, action="dismiss")
    assert (200, "dismissed") == (status, answer["resolution"])
    await stop(api, station, "-1", 30)
    assert [] == await listed(api, "?state=open")
    (entry,) = await listed(api, "?state=resolved")
    assert 1 == entry["repeats"]


async def test_samples_of_a_foreign_transaction_can_only_be_dismissed(api: Api, station: Station):
    other = await api.deps.db.write(lambda tx: stations.create(tx, NewStation("CP-2")))
    number = await start(api, station, 0)
    await api.deps.db.write(
        lambda tx: metering.record(
            tx, other.id, 1, station_transaction_id=number, readings=[], payload={}
        )
    )
    await stop(api, other, number, 30)
    stopped, sampled = await listed(api, "?station_id=identity:CP-2")
    for entry in (stopped, sampled):
        assert "foreign_transaction" == entry["cause"]
        assert None is (await shown(api, entry))["suggestion"]
    assert (await find(api, station, number)).is_open
    assert [] == await listed(api, "?station_id=identity:CP-1")


async def test_the_list_pages(api: Api, station: Station):
    for minute in (1, 2, 3):
        await stop(api, station, "0", minute)
    first = await (await api.get(f"{PATH}?limit=2")).json()
    rest = await (await api.get(f"{PATH}?limit=2&cursor={first['next_cursor']}")).json()
    entries = [await shown(api, entry) for entry in first["items"] + rest["items"]]
    assert [3, 2, 1] == [entry["message"]["meterStop"] for entry in entries]
    assert None is rest["next_cursor"]


async def test_a_bound_token_sees_entries_of_its_stations_only(api: Api, station: Station):
    place = await api.deps.db.write(lambda tx: locations.create(tx, name="Depot"))
    inside = await api.deps.db.write(
        lambda tx: stations.create(tx, NewStation("IN", location_id=place.id))
    )
    for one in (station, inside):
        await stop(api, one, "-1", 30)
    _, api.bearers["bound"] = await api.deps.db.write(
        lambda tx: tokens.create(
            tx, name="site", role=Role.OPERATOR, location_ids=frozenset({place.id})
        )
    )
    assert ["IN"] == [entry["identity"] for entry in await listed(api, role="bound")]
    (hidden,) = await listed(api, f"?station_id={station.uuid}")
    path = f"{PATH}/{hidden['id']}"
    assert 404 == (await api.get(path, role="bound")).status
    body = {"action": "dismiss"}
    assert 404 == (await api.post(f"{path}/resolve", json=body, role="bound")).status
    assert 403 == (await api.post(f"{path}/resolve", json=body, role="viewer")).status
    assert 404 == (await api.get(f"{PATH}/nobody")).status


async def test_a_message_that_is_no_json_is_shown_as_text(api: Api, station: Station):
    await stop(api, station, "-1", 30)
    await api.deps.db.write(lambda tx: tx.run("UPDATE transaction_conflicts SET raw = '{'"))
    (entry,) = await listed(api)
    assert "{" == (await shown(api, entry))["message"]
