"""Transactions natively: lists, pages, stopping, closing, and who may."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from csms.api.v1 import transaction_export
from csms.clock import EPOCH
from csms.domain.metering import Reading
from csms.domain.permissions import Role
from csms.domain.stations import NewStation
from csms.domain.transaction_events import TransactionEvent, TransactionReport
from csms.domain.transactions import StartReport, StopReport
from csms.events import Event
from csms.ocpp.settings import OcppSettings
from csms.services import (
    locations,
    metering,
    stations,
    tokens,
    transaction_events,
    transactions,
)
from csms.store import transactions as transaction_store

if TYPE_CHECKING:
    from csms.domain.stations import Station
    from csms.domain.transactions import Transaction
    from tests.api.conftest import Api, ScriptedHub

PATH = "/api/v1/transactions"
POLICY = OcppSettings().token_policy
MORNING = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)


@pytest.fixture
async def station(api: Api) -> Station:
    return await api.deps.db.write(lambda tx: stations.create(tx, NewStation("CP-1")))


async def start(
    api: Api, station: Station, minute: int, *, tag: str = "TAG", evse: int = 1, clock: bool = True
) -> Transaction:
    report = StartReport(
        evse_id=evse,
        id_token=tag,
        register_mwh=1_000_000,
        reported_at=MORNING + timedelta(minutes=minute) if clock else None,
        reservation_id=None,
        natural_key=f"{evse}|{minute}|{tag}",
        flags=frozenset(),
        raw="{}",
    )
    number, _ = await api.deps.db.write(
        lambda tx: transactions.start_v16(tx, station.id, report, POLICY)
    )
    return await find(api, station, str(number))


async def stop(api: Api, transaction: Transaction, minute: int, register_mwh: int) -> None:
    report = StopReport(
        station_transaction_id=transaction.station_transaction_id,
        id_token=None,
        register_mwh=register_mwh,
        reported_at=MORNING + timedelta(minutes=minute),
        reason="EVDisconnected",
        readings=(),
        flags=frozenset(),
        raw="{}",
    )
    await api.deps.db.write(
        lambda tx: transactions.stop(tx, transaction.station_id, report, POLICY)
    )


async def sample(api: Api, transaction: Transaction, minute: int, register_mwh: int) -> None:
    reading = Reading(
        MORNING + timedelta(minutes=minute),
        None,
        "Sample.Periodic",
        register_mwh,
        None,
        None,
        None,
        "[]",
    )
    await api.deps.db.write(
        lambda tx: metering.record(
            tx,
            transaction.station_id,
            transaction.evse_id or 0,
            station_transaction_id=transaction.station_transaction_id,
            readings=[reading],
            payload={},
        )
    )


async def find(api: Api, station: Station, number: str) -> Transaction:
    found = await api.deps.db.read(lambda tx: transaction_store.find(tx, station.id, number))
    assert found is not None
    return found


async def page(api: Api, query: str = "", **more: Any) -> dict[str, Any]:
    response = await api.get(PATH + query, **more)
    assert 200 == response.status, await response.text()
    return await response.json()


async def ids(api: Api, query: str = "", **more: Any) -> list[str]:
    return [one["id"] for one in (await page(api, query, **more))["items"]]


async def close(api: Api, transaction: Transaction, **body: Any) -> tuple[int, dict[str, Any]]:
    body.setdefault("reason", "station was stolen")
    response = await api.post(f"{PATH}/{transaction.uuid}/close", json=body, role="operator")
    return response.status, await response.json()


async def bound_bearer(api: Api, location_id: int, role: Role = Role.OPERATOR) -> dict[str, str]:
    _, bearer = await api.deps.db.write(
        lambda tx: tokens.create(tx, name="bound", role=role, location_ids=frozenset({location_id}))
    )
    return {"Authorization": f"Bearer {bearer}"}


async def test_a_transaction_is_shown_with_what_it_came_to(api: Api, station: Station):
    made = await start(api, station, 0)
    await stop(api, made, 30, 8_500_400)
    response = await api.get(f"{PATH}/{made.uuid}", role="operator")
    shown = await response.json()
    wanted = {
        "id": made.uuid,
        "station_id": station.uuid,
        "identity": "CP-1",
        "location_id": None,
        "evse_id": 1,
        "open": False,
        "id_token": "TAG",
        "started_at": "2026-05-01T08:00:00.000000Z",
        "ended_at": "2026-05-01T08:30:00.000000Z",
        "duration_s": 1800,
        "start_register_wh": 1000,
        "end_register_wh": 8500,
        "energy_wh": 7500,
        "stop_reason": "EVDisconnected",
        "flags": [],
        "closing": None,
    }
    assert wanted == {name: shown[name] for name in wanted}


async def test_pages_go_on_while_transactions_begin(api: Api, station: Station):
    made = [await start(api, station, minute, evse=minute) for minute in (1, 2, 3, 4, 5)]
    # Two that began at the same instant are two.
    made.append(await start(api, station, 5, evse=6))
    first = await page(api, "?limit=2")
    await start(api, station, 9, evse=9)
    seen = [one["id"] for one in first["items"]]
    cursor = first["next_cursor"]
    while cursor is not None:
        following = await page(api, f"?limit=2&cursor={cursor}")
        seen += [one["id"] for one in following["items"]]
        cursor = following["next_cursor"]
    order = [made[5], made[4], made[3], made[2], made[1], made[0]]
    assert [one.uuid for one in order] == seen


async def test_filters_narrow_the_list(api: Api, station: Station):
    other = await api.deps.db.write(lambda tx: stations.create(tx, NewStation("CP-2")))
    first = await start(api, station, 0)
    second = await start(api, other, 10, tag="Card")
    await stop(api, first, 20, 2_000_000)
    third = await start(api, station, 30, tag="CARD")
    assert [third.uuid, second.uuid, first.uuid] == await ids(api)
    assert [third.uuid, first.uuid] == await ids(api, "?station_id=identity:CP-1")
    assert [third.uuid, second.uuid] == await ids(api, "?id_token=card")
    assert [third.uuid, second.uuid] == await ids(api, "?state=open")
    assert [first.uuid] == await ids(api, "?state=ended")
    assert [third.uuid] == await ids(api, f"?state=open&station_id={station.uuid}")
    assert [second.uuid] == await ids(api, "?from=2026-05-01T08:10:00Z&to=2026-05-01T08:30:00Z")
    assert [third.uuid] == await ids(api, f"?id_token=CARD&station_id={station.uuid}")


@pytest.mark.parametrize(
    "query",
    [
        "?limit=0",
        "?state=broken",
        "?from=yesterday",
        "?from=2026-05-01T08:00:00",
        "?cursor=MQ",
        "?cursor=ä",
        "?sort=energy",
    ],
)
async def test_a_query_that_does_not_fit_is_refused(api: Api, query: str):
    assert 422 == (await api.get(PATH + query)).status


async def test_a_bound_token_sees_the_transactions_of_its_locations(api: Api, station: Station):
    place = await api.deps.db.write(lambda tx: locations.create(tx, name="Yard", slug="yard"))
    inside = await api.deps.db.write(
        lambda tx: stations.create(tx, NewStation("CP-2", location_id=place.id))
    )
    outside = await start(api, station, 0)
    mine = await start(api, inside, 5)
    older = await start(api, inside, 1, evse=2)
    headers = await bound_bearer(api, place.id)
    assert [mine.uuid, older.uuid] == await ids(api, headers=headers, role=None)
    first = await page(api, "?limit=1", headers=headers, role=None)
    cursor = first["next_cursor"]
    assert [older.uuid] == await ids(api, f"?cursor={cursor}", headers=headers, role=None)
    assert [mine.uuid, older.uuid] == await ids(api, "?state=open", headers=headers, role=None)
    assert [mine.uuid, older.uuid] == await ids(api, f"?location_id={place.uuid}")
    for method, path, body in (
        ("GET", "", None),
        ("POST", "/stop", {}),
        ("POST", "/close", {"reason": "gone"}),
    ):
        response = await api.request(
            method, f"{PATH}/{outside.uuid}{path}", json=body, headers=headers, role=None
        )
        assert 404 == response.status, path
    response = await api.get(f"{PATH}?station_id={station.uuid}", headers=headers, role=None)
    assert 404 == response.status


async def test_transactions_of_a_deleted_station_stay(api: Api, station: Station):
    made = await start(api, station, 0)
    await stop(api, made, 5, 2_000_000)
    await api.deps.db.write(lambda tx: stations.delete(tx, station))
    assert [made.uuid] == await ids(api)
    assert 200 == (await api.get(f"{PATH}/{made.uuid}")).status


# ---- a file ------------------------------------------------------------------------------------


async def test_a_file_has_what_the_list_has(api: Api, station: Station):
    first = await start(api, station, 0, tag='=HYPERLINK("x")')
    await stop(api, first, 30, 8_500_400)
    second = await start(api, station, 40, tag="-1\n\x1b", evse=2)
    await start(api, station, 50, tag="OTHER", evse=3)
    query = "?to=2026-05-01T08:45:00Z"
    response = await api.get(PATH + ".csv" + query, role="operator")
    assert (200, "text/csv", 'attachment; filename="transactions.csv"') == (
        response.status,
        response.content_type,
        response.headers["Content-Disposition"],
    )
    text = await response.text()
    assert "\x1b" not in text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [
        (second.uuid, "CP-1", "true", "'-1  ", "", ""),
        (first.uuid, "CP-1", "false", '\'=HYPERLINK("x")', "7500", "1800"),
    ] == [
        tuple(row[k] for k in ("id", "identity", "open", "id_token", "energy_wh", "duration_s"))
        for row in rows
    ]


async def test_a_file_goes_on_over_many_pages(
    api: Api, station: Station, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(transaction_export, "_PAGE", 2)
    made = [await start(api, station, minute, evse=minute) for minute in (1, 2, 3, 4, 5)]
    text = await (await api.get(PATH + ".csv")).text()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [one.uuid for one in reversed(made)] == [row["id"] for row in rows]


async def test_a_file_of_what_is_out_of_reach_is_not_found(api: Api):
    assert 404 == (await api.get(PATH + ".csv?station_id=identity:CP-9")).status
    assert 422 == (await api.get(PATH + ".csv?limit=5")).status


# ---- stopping ----------------------------------------------------------------------------------


async def test_stopping_asks_the_station_and_tells_its_answer(
    api: Api, station: Station, hub: ScriptedHub
):
    hub.automatic = lambda _: {"status": "Accepted"}
    hub.connect(station.id)
    made = await start(api, station, 0)
    response = await api.post(f"{PATH}/{made.uuid}/stop", role="operator")
    answer = await response.json()
    assert (200, "succeeded") == (response.status, answer["state"])
    assert [("RemoteStopTransaction", {"transactionId": int(made.station_transaction_id)})] == [
        (call.action, call.payload) for call in hub.calls
    ]
    assert (await find(api, station, made.station_transaction_id)).is_open


async def test_an_offline_station_cannot_be_asked_to_stop(api: Api, station: Station):
    made = await start(api, station, 0)
    response = await api.post(f"{PATH}/{made.uuid}/stop", json={"timeout_s": 5})
    assert (409, "station_offline") == (response.status, (await response.json())["code"])


async def test_what_has_ended_is_not_stopped(api: Api, station: Station, hub: ScriptedHub):
    hub.connect(station.id)
    made = await start(api, station, 0)
    await stop(api, made, 5, 2_000_000)
    response = await api.post(f"{PATH}/{made.uuid}/stop")
    assert (409, "already_ended") == (response.status, (await response.json())["code"])
    assert [] == hub.calls


# ---- closing -----------------------------------------------------------------------------------


async def test_closing_ends_it_by_the_last_register_and_says_why(api: Api, station: Station):
    told: list[Event] = []
    api.deps.bus.subscribe(Event, told.append)
    made = await start(api, station, 0)
    await sample(api, made, 10, 4_000_000)
    status, shown = await close(api, made, ended_at="2026-05-01T08:15:00Z")
    assert (200, False, 3000, 900) == (
        status,
        shown["open"],
        shown["energy_wh"],
        shown["duration_s"],
    )
    assert ["closed", "inferred_end"] == shown["flags"]
    assert "station was stolen" == shown["closing"]["reason"]
    assert shown["closing"]["closed_by"]
    assert ["transaction.ended"] == [e.type for e in told if e.type == "transaction.ended"]
    status, answer = await close(api, made)
    assert (409, "already_ended") == (status, answer["code"])


async def test_samples_do_not_reopen_what_a_person_closed(api: Api, station: Station):
    made = await start(api, station, 0)
    await sample(api, made, 10, 4_000_000)
    await close(api, made)
    await sample(api, made, 600, 9_000_000)
    found = await find(api, station, made.station_transaction_id)
    assert (False, 3_000_000) == (found.is_open, found.energy_mwh)


async def test_a_stop_of_the_station_goes_before_the_closing(api: Api, station: Station):
    made = await start(api, station, 0)
    await close(api, made)
    await stop(api, made, 45, 6_000_000)
    shown = await (await api.get(f"{PATH}/{made.uuid}")).json()
    assert (5000, [], None) == (shown["energy_wh"], shown["flags"], shown["closing"])


async def test_events_of_2x_do_not_reopen_it_and_its_end_counts(api: Api, station: Station):
    async def tell(seq_no: int, kind: str, register: int) -> None:
        event = TransactionEvent(
            type=kind,
            seq_no=seq_no,
            trigger_reason="MeterValuePeriodic",
            offline=False,
            reported_at=MORNING + timedelta(minutes=seq_no),
            evse_id=1,
            connector_id=1,
            charging_state="Charging",
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
        report = TransactionReport("tx-1", event, (), f'{{"seqNo":{seq_no}}}')
        await api.deps.db.write(
            lambda tx: transaction_events.record(tx, station.id, report, POLICY)
        )

    await tell(0, "Started", 1_000_000)
    made = await find(api, station, "tx-1")
    await close(api, made)
    await tell(1, "Updated", 3_000_000)
    shown = await (await api.get(f"{PATH}/{made.uuid}")).json()
    assert (False, 2000, ["closed", "inferred_end"]) == (
        shown["open"],
        shown["energy_wh"],
        shown["flags"],
    )
    await tell(2, "Ended", 5_000_000)
    shown = await (await api.get(f"{PATH}/{made.uuid}")).json()
    assert (4000, [], None) == (shown["energy_wh"], shown["flags"], shown["closing"])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"reason": ""},
        {"reason": "x" * 256},
        {"reason": "gone", "ended_at": "2026-05-01T07:00:00Z"},
        {"reason": "gone", "ended_at": "2030-05-01T07:00:00Z"},
        {"reason": "gone", "ended_at": "2026-05-01T09:00:00"},
        {"reason": "gone", "energy_wh": 4},
    ],
)
async def test_a_closing_that_does_not_fit_is_refused(
    api: Api, station: Station, body: dict[str, Any]
):
    made = await start(api, station, 0)
    response = await api.post(f"{PATH}/{made.uuid}/close", json=body)
    assert 422 == response.status
    assert (await find(api, station, made.station_transaction_id)).is_open


@pytest.mark.parametrize("what", ["stop", "close"])
async def test_a_viewer_ends_nothing(api: Api, station: Station, what: str):
    made = await start(api, station, 0)
    response = await api.post(f"{PATH}/{made.uuid}/{what}", json={"reason": "x"}, role="viewer")
    assert 403 == response.status
