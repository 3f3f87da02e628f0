"""The reconciliation inbox natively: what is in it, what is suggested, and who decided."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from csms.clock import EPOCH
from csms.domain.metering import Reading
from csms.domain.permissions import Role
from csms.domain.prices import Prices
from csms.domain.stations import NewStation
from csms.domain.transaction_events import TransactionEvent, TransactionReport
from csms.domain.transactions import StartReport, StopReport
from csms.events import Event
from csms.ocpp.settings import OcppSettings
from csms.services import (
    locations,
    metering,
    prices,
    reconciliation,
    stations,
    tokens,
    transaction_events,
    transactions,
)
from csms.store import transactions as transaction_store

if TYPE_CHECKING:
    from csms.clock import ManualClock
    from csms.domain.locations import Location
    from csms.domain.stations import Station
    from csms.domain.transactions import Transaction
    from csms.store.database import Tx
    from tests.api.conftest import Api

PATH = "/api/v1/reconciliation"


@pytest.fixture
async def station(api: Api) -> Station:
    return await api.deps.db.write(lambda tx: stations.create(tx, NewStation("CP-1")))


async def start(api: Api, station: Station, minute: int, tag: str = "TAG", evse: int = 1) -> str:
    at = datetime(2026, 5, 1, 10, minute, tzinfo=UTC)
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
    at = datetime(2026, 5, 1, 10, minute, tzinfo=UTC)
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


async def made(api: Api) -> list[Transaction]:
    ids = await api.deps.db.read(lambda tx: tx.all("SELECT id FROM transactions ORDER BY id"))
    return [
        await api.deps.db.read(lambda tx, n=row["id"]: transaction_store.get(tx, n)) for row in ids
    ]


async def test_a_stop_that_can_mean_none_becomes_a_transaction_that_may_stay(
    api: Api, station: Station
):
    for _ in range(2):
        await stop(api, station, "-1", 30, tag="TAG")
    (entry,) = await listed(api, "?state=open")
    (alone,) = await made(api)
    detail = await shown(api, entry)
    assert ("keep", alone.uuid) == (detail["suggestion"]["fix"], detail["transaction_id"])
    assert (False, None, "TAG", 30_000) == (
        alone.is_open,
        alone.energy_mwh,
        alone.id_token,
        alone.end_register_mwh,
    )
    assert {"start_missing"} == {flag.value for flag in alone.flags}
    status, answer = await resolve(api, entry, action="apply")
    assert (200, "applied", alone.uuid) == (status, answer["resolution"], answer["transaction_id"])
    assert [alone] == await made(api)


async def test_it_goes_when_its_stop_turns_out_to_mean_another(api: Api, station: Station):
    await stop(api, station, "-1", 30)
    await start(api, station, 0)  # came late
    (entry,) = await listed(api)
    assert "end" == (await shown(api, entry))["suggestion"]["fix"]
    status, answer = await resolve(api, entry, action="apply")
    (ended,) = await made(api)
    assert (200, ended.uuid, 30_000) == (status, answer["transaction_id"], ended.energy_mwh)


async def test_a_kept_stop_waits_again_when_a_start_comes_that_may_be_its_own(
    api: Api, station: Station
):
    await stop(api, station, "-1", 30, tag="TAG")
    (entry,) = await listed(api)
    await resolve(api, entry, action="apply")
    await start(api, station, 40)  # after it
    assert [] == await listed(api, "?state=open")
    number = await start(api, station, 0, evse=2)
    assert [entry["id"]] == [one["id"] for one in await listed(api, "?state=open")]
    assert "end" == (await shown(api, entry))["suggestion"]["fix"]
    status, _ = await resolve(api, entry, action="apply")
    assert (200, 30_000) == (status, (await find(api, station, number)).energy_mwh)
    assert 2 == len(await made(api))


async def test_what_was_kept_is_suggested_no_more_once_its_stop_came_under_its_own_id(
    api: Api, station: Station
):
    await stop(api, station, "-1", 30, tag="TAG")
    (entry,) = await listed(api)
    await resolve(api, entry, action="apply")
    number = await start(api, station, 0)
    await stop(api, station, number, 30, tag="TAG")
    assert None is (await shown(api, entry))["suggestion"]
    await resolve(api, entry, action="dismiss")
    assert [number] == [one.station_transaction_id for one in await made(api)]


async def test_a_stop_that_says_nothing_becomes_nothing(api: Api, station: Station):
    report = StopReport("-1", None, None, None, "Local", (), frozenset(), "{}")
    policy = OcppSettings().token_policy
    await api.deps.db.write(lambda tx: transactions.stop(tx, station.id, report, policy))
    (entry,) = await listed(api)
    assert [] == await made(api)
    status, answer = await resolve(api, entry, action="apply")
    assert (409, "nothing_suggested") == (status, answer["code"])


async def test_of_too_many_that_wait_the_oldest_expires(
    api: Api, station: Station, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(reconciliation, "MAX_WAITING", 2)
    other = await api.deps.db.write(lambda tx: stations.create(tx, NewStation("CP-2")))
    await stop(api, other, "-1", 1)
    for minute in (1, 2, 3):
        await stop(api, station, "-1", minute)
    assert ["CP-1", "CP-1", "CP-2"] == [one["identity"] for one in await listed(api, "?state=open")]
    (gone,) = await listed(api, "?state=resolved")
    assert ("expired", None) == (gone["resolution"], gone["resolved_by"])
    assert {"meterStop": 1} == (await shown(api, gone))["message"]


async def sample(api: Api, station: Station, number: str, minute: int, register: int) -> None:
    at = datetime(2026, 5, 1, 10, minute, tzinfo=UTC)
    reading = Reading(at, None, "Sample.Periodic", register, None, None, None, '[{"value":"1"}]')
    await api.deps.db.write(
        lambda tx: metering.record(
            tx, station.id, 1, station_transaction_id=number, readings=[reading], payload={}
        )
    )


async def test_samples_with_a_strange_id_can_join_what_went_on_there(api: Api, station: Station):
    other = await api.deps.db.write(lambda tx: stations.create(tx, NewStation("CP-2")))
    strange = await start(api, other, 0)
    number = await start(api, station, 0)
    await sample(api, station, strange, 10, 5000)
    await sample(api, station, strange, 20, 9000)
    assert None is (await find(api, station, number)).energy_mwh
    (entry,) = await listed(api)
    assert "join" == (await shown(api, entry))["suggestion"]["fix"]
    status, answer = await resolve(api, entry, action="apply")
    found = await find(api, station, number)
    assert (200, found.uuid, 9000) == (status, answer["transaction_id"], found.energy_mwh)


async def test_a_fall_shows_when_samples_join_what_is_over(api: Api, station: Station):
    other = await api.deps.db.write(lambda tx: stations.create(tx, NewStation("CP-2")))
    strange = await start(api, other, 0)
    number = await start(api, station, 0)
    await stop(api, station, number, 30)
    for minute, register in ((10, 5000), (20, 100), (50, 200_000)):
        await sample(api, station, strange, minute, register)
    (entry,) = await listed(api)
    await resolve(api, entry, action="apply")
    found = await find(api, station, number)
    assert (None, {"register_fell"}) == (found.energy_mwh, {flag.value for flag in found.flags})
    own = await api.deps.db.read(
        lambda tx: tx.value("SELECT count(*) FROM meter_values WHERE transaction_id IS NOT NULL")
    )
    assert 2 == own


def event(kind: str, seq: int, minute: int, register: int) -> TransactionReport:
    at = datetime(2026, 5, 1, 10, minute, tzinfo=UTC)
    told = TransactionEvent(
        type=kind,
        seq_no=seq,
        trigger_reason=None,
        offline=False,
        reported_at=at,
        evse_id=1,
        connector_id=1,
        charging_state=None,
        stopped_reason=None,
        reservation_id=None,
        remote_start_id=None,
        id_token=None,
        id_token_type=None,
        first_register_mwh=register,
        last_register_mwh=None,
        register_phases=None,
        flags=frozenset(),
        received_at=EPOCH,
    )
    raw = f'{{"eventType":"{kind}","seqNo":{seq},"minute":{minute}}}'
    reading = Reading(at, None, "Sample.Periodic", register, None, None, None, '[{"value":"1"}]')
    return TransactionReport("tx", told, (reading,), raw)


async def priced(
    api: Api, station: Station, per_kwh_micros: int, place: Location | None = None
) -> Location:
    """The station stands where a kWh costs this from now on."""

    def change(tx: Tx) -> Location:
        found = place or locations.create(tx, name="Depot")
        sql = "UPDATE stations SET location_id = ? WHERE id = ?"
        tx.run(sql, (found.id, station.id))
        prices.change(tx, found, Prices("EUR", per_kwh_micros, 0, 0))
        return found

    return await api.deps.db.write(change)


async def test_events_numbered_anew_after_the_end_become_a_transaction(
    api: Api, station: Station, clock: ManualClock
):
    policy = OcppSettings().token_policy

    async def send(report: TransactionReport) -> None:
        await api.deps.db.write(
            lambda tx: transaction_events.record(tx, station.id, report, policy)
        )

    depot = await priced(api, station, 200_000_000)
    clock.advance(60)
    first = [event("Started", 0, 0, 1000), event("Ended", 1, 9, 4000)]
    second = [event("Started", 0, 30, 4000), event("Ended", 1, 39, 9000)]
    for report in (*first, second[0]):
        await send(report)
    (entry,) = await listed(api)
    assert None is (await shown(api, entry))["suggestion"]  # it is not over yet
    await send(second[1])
    assert "split" == (await shown(api, entry))["suggestion"]["fix"]
    clock.advance(60)
    await priced(api, station, 5_000_000, depot)
    status, answer = await resolve(api, entry, action="apply")
    one, two = await made(api)
    assert 1_000_000 == two.cost_micros  # by the price of when it was heard of, not of now
    assert (200, two.uuid) == (status, answer["transaction_id"])
    assert ("tx", 3000, "tx#1", 5000) == (
        one.station_transaction_id,
        one.energy_mwh,
        two.station_transaction_id,
        two.energy_mwh,
    )
    assert (second[0].event.reported_at, False) == (two.started_at, two.is_open)
    assert {"reconciled"} == {flag.value for flag in two.flags}
    for report in (*first, *second):
        await send(report)
    assert [one, two] == await made(api)
    readings = await api.deps.db.read(
        lambda tx: tx.all("SELECT transaction_id FROM meter_values ORDER BY reported_at")
    )
    assert [one.id, one.id, two.id, two.id] == [row["transaction_id"] for row in readings]


async def test_an_event_that_names_none_can_be_added_to_what_went_on_there(
    api: Api, station: Station
):
    policy = OcppSettings().token_policy
    nameless = replace(event("Ended", 1, 9, 4000), station_transaction_id=None)
    for report in (nameless, event("Started", 0, 0, 1000)):
        await api.deps.db.write(
            lambda tx, r=report: transaction_events.record(tx, station.id, r, policy)
        )
    (entry,) = await listed(api)
    assert "add" == (await shown(api, entry))["suggestion"]["fix"]
    status, answer = await resolve(api, entry, action="apply")
    (found,) = await made(api)
    assert (200, found.uuid) == (status, answer["transaction_id"])
    assert (False, 3000, {"reconciled"}) == (
        found.is_open,
        found.energy_mwh,
        {flag.value for flag in found.flags},
    )
    assert found.ended_at == nameless.event.reported_at
    own = await api.deps.db.read(
        lambda tx: tx.value("SELECT count(*) FROM meter_values WHERE transaction_id IS NOT NULL")
    )
    assert 2 == own


async def test_an_event_whose_number_is_taken_can_only_be_dismissed(api: Api, station: Station):
    policy = OcppSettings().token_policy
    nameless = replace(event("Updated", 0, 9, 4000), station_transaction_id=None)
    for report in (event("Started", 0, 0, 1000), nameless):
        await api.deps.db.write(
            lambda tx, r=report: transaction_events.record(tx, station.id, r, policy)
        )
    (entry,) = await listed(api)
    assert None is (await shown(api, entry))["suggestion"]


async def test_what_is_dismissed_changes_nothing_and_does_not_come_back(api: Api, station: Station):
    await stop(api, station, "-1", 30)
    (entry,) = await listed(api)
    status, answer = await resolve(api, entry, action="dismiss")
    assert (200, "dismissed") == (status, answer["resolution"])
    assert [] == await made(api)
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
