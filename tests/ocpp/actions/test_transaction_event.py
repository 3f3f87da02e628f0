"""TransactionEvent of OCPP 2.0.1 and 2.1."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from csms.domain.id_tokens import AuthorizationStatus, UnknownIdTokens
from csms.domain.transactions import TransactionFlag
from csms.domain.versions import OcppVersion
from csms.events import Event
from csms.ocpp import schemas
from csms.ocpp.actions import boot_notification, status_notification, transaction_event
from csms.store import id_tokens, transactions

V201, V21 = OcppVersion.V201, OcppVersion.V21


def token(value="TAG1", kind="ISO14443"):
    return {"idToken": value, "type": kind}


def event(kind, seq=0, minute=0, *, tx="tx-1", evse=None, register=None, **more):
    info = {"transactionId": tx}
    for name in ("chargingState", "stoppedReason", "remoteStartId"):
        if name in more:
            info[name] = more.pop(name)
    payload = {
        "eventType": kind,
        "timestamp": f"2026-05-01T10:{minute:02}:00Z",
        "triggerReason": {"Started": "CablePluggedIn"}.get(kind, "MeterValuePeriodic"),
        "seqNo": seq,
        "transactionInfo": info,
        **more,
    }
    if evse is not None:
        payload["evse"] = {"id": evse}
    if register is not None:
        payload["meterValue"] = [
            {"timestamp": payload["timestamp"], "sampledValue": [{"value": register}]}
        ]
    return payload


def session(tx="tx-1", *, evse=1, begin=1000, minute=0):
    """Three events of a whole transaction."""
    return [
        event("Started", 0, minute, tx=tx, evse=evse, register=begin, idToken=token()),
        event("Updated", 1, minute + 1, tx=tx, register=begin + 500, chargingState="Charging"),
        event("Ended", 2, minute + 2, tx=tx, register=begin + 700, stoppedReason="Remote"),
    ]


@pytest.fixture
async def station(connect):
    return await connect("GARAGE-1", V201)


@pytest.fixture
async def neighbour(connect):
    return await connect("GARAGE-2", V21)


@pytest.fixture
def events(bus):
    seen = []
    bus.subscribe(Event, seen.append)
    return seen


async def send(station, *payloads):
    answer = None
    for payload in payloads:
        answer = await transaction_event.on_v2x(station, payload)
        valid = schemas.checker(station.version, "TransactionEvent", "response")
        assert valid(answer), answer
    return answer


async def find(station, tx="tx-1"):
    return await station.db.read(lambda r: transactions.find(r, station.station_id, tx))


def kinds(events):
    return [seen.type for seen in events if seen.type.startswith("transaction.")]


# ---- the plain case --------------------------------------------------------------------------


@pytest.mark.parametrize("version", [V201, V21])
async def test_three_events_make_one_transaction_with_its_energy(connect, version, events, rows):
    station = await connect("S", version)
    started, updated, ended = session()
    started["evse"]["connectorId"] = 2
    started["reservationId"] = 77
    started["transactionInfo"]["remoteStartId"] = 88
    assert await send(station, started) == {"idTokenInfo": {"status": "Accepted"}}
    found = await find(station)
    assert (found.is_open, found.evse_id, found.connector_id) == (True, 1, 2)
    assert (found.id_token, found.id_token_key, found.id_token_type) == ("TAG1", "tag1", "ISO14443")
    assert (found.id_token_status, found.reservation_id, found.remote_start_id) == (
        "Accepted",
        77,
        88,
    )
    assert await send(station, updated) == {}
    found = await find(station)
    assert (found.charging_state, found.energy_mwh) == ("Charging", 500_000)
    assert await send(station, ended) == {}
    found = await find(station)
    assert (found.is_open, found.stop_reason, found.charging_state) == (False, "Remote", None)
    assert (found.energy_mwh, found.flags) == (700_000, frozenset())
    assert kinds(events) == ["transaction.started", "transaction.updated", "transaction.ended"]
    assert events[0].data["evse_id"] == 1
    assert events[-1].data["energy_wh"] == 700.0
    stored = await rows("SELECT type, seq_no, raw FROM transaction_events ORDER BY id")
    assert [(row["type"], row["seq_no"]) for row in stored] == [
        ("Started", 0),
        ("Updated", 1),
        ("Ended", 2),
    ]
    assert orjson.loads(stored[0]["raw"]) == started


async def test_event_that_changes_nothing_but_the_register_is_no_news(station, events):
    await send(station, *session()[:2], event("Updated", 2, 3, register=1600))
    assert kinds(events) == ["transaction.started", "transaction.updated"]


async def test_readings_are_stored_with_unit_multiplier_phases_and_signature(station, rows):
    signed = {
        "signedMeterData": "c2ln",
        "encodingMethod": "OCMF",
        "signingMethod": "",
        "publicKey": "",
    }
    samples = [
        {
            "value": 1.25,
            "unitOfMeasure": {"unit": "kWh", "multiplier": 1},
            "signedMeterValue": signed,
        },
        {"value": 230, "measurand": "Power.Active.Import", "phase": "L1"},
        {
            "value": 23,
            "measurand": "Power.Active.Import",
            "phase": "L2",
            "unitOfMeasure": {"unit": "W", "multiplier": 1},
        },
        {
            "value": 161,
            "measurand": "Current.Import",
            "unitOfMeasure": {"unit": "A", "multiplier": -1},
        },
        {"value": 55, "measurand": "SoC"},
        {"value": 1, "measurand": "Power.Active.Import", "location": "Inlet"},
    ]
    started = event("Started", evse=2)
    started["meterValue"] = [{"timestamp": started["timestamp"], "sampledValue": samples}]
    await send(station, started)
    (row,) = await rows("SELECT * FROM meter_values")
    assert (row["evse_id"], row["register_mwh"]) == (2, 12_500_000)
    assert (row["power_w"], row["current_a"], row["soc_percent"]) == (460.0, 16.1, 55.0)
    assert orjson.loads(row["samples"]) == samples
    assert row["transaction_id"] == (await find(station)).id


async def test_register_of_the_beginning_may_come_with_the_end(station):
    ended = event("Ended", 2, 20)
    ended["meterValue"] = [
        {
            "timestamp": f"2026-05-01T10:{minute}:00Z",
            "sampledValue": [{"value": value, "context": context}],
        }
        for minute, value, context in (
            ("20", 1800, "Transaction.End"),
            ("00", 1000, "Transaction.Begin"),
            ("10", 1500, "Sample.Periodic"),
        )
    ]
    await send(station, event("Started", evse=1), event("Updated", 1, 10, register=1500), ended)
    found = await find(station)
    assert (found.energy_mwh, found.flags) == (800_000, frozenset())


async def test_end_without_a_reading_takes_the_last_one(station):
    await send(station, *session()[:2], event("Ended", 2, 3))
    found = await find(station)
    assert (found.energy_mwh, found.stop_reason) == (500_000, "Local")


# ---- repetition and order --------------------------------------------------------------------


async def test_repeated_event_changes_nothing_and_is_answered_alike(station, rows, events):
    first = await send(station, session()[0])
    await send(station, *session()[1:])
    before, told = await find(station), kinds(events)
    for payload in session() + session()[::-1]:
        again = await send(station, {**payload, "offline": True})
        assert again == (first if payload["eventType"] == "Started" else {})
    assert await find(station) == before
    assert kinds(events) == told
    assert len(await rows("SELECT * FROM transaction_events")) == 3
    assert len(await rows("SELECT * FROM meter_values")) == 3


async def test_repeated_start_does_not_meet_its_own_concurrent_tx(connect):
    station = await connect("ONE", V201, max_transactions_per_id_token=1)
    started, updated, _ = session()
    first = await send(station, started)
    assert await send(station, started) == first == {"idTokenInfo": {"status": "Accepted"}}
    assert await send(station, {**updated, "idToken": token()}) == first
    other = await send(station, event("Started", tx="tx-2", evse=2, idToken=token("tag1")))
    assert other == {"idTokenInfo": {"status": "ConcurrentTx"}}
    assert await send(station, event("Started", tx="tx-2", evse=2, idToken=token("tag1"))) == other


async def test_end_before_the_start_is_one_transaction_and_stays_ended(station, events):
    started, updated, ended = session()
    await send(station, ended)
    found = await find(station)
    assert (found.is_open, found.flags) == (False, {TransactionFlag.SEQUENCE_GAP})
    await send(station, {**started, "offline": True})
    assert TransactionFlag.SEQUENCE_GAP in (await find(station)).flags
    await send(station, {**updated, "offline": True})
    found = await find(station)
    assert (found.is_open, found.flags, found.energy_mwh) == (False, frozenset(), 700_000)
    assert (found.id_token, found.charging_state) == ("TAG1", None)
    assert kinds(events)[0] == "transaction.ended"
    assert "transaction.started" not in kinds(events)


async def test_late_event_does_not_put_the_charging_state_back(station):
    await send(
        station,
        event("Started", 0, evse=1),
        event("Updated", 2, 2, chargingState="SuspendedEV", register=1500),
        event("Updated", 1, 1, chargingState="Charging", register=1200),
    )
    found = await find(station)
    assert (found.charging_state, found.flags) == ("SuspendedEV", frozenset())
    assert found.last_register_mwh == 1_500_000


async def test_missing_number_is_a_gap_until_its_event_comes(station):
    await send(station, event("Started", 7, evse=1), event("Updated", 10, 3))
    assert (await find(station)).flags == {TransactionFlag.SEQUENCE_GAP}
    await send(station, event("Updated", 8, 1))
    assert (await find(station)).flags == {TransactionFlag.SEQUENCE_GAP}
    await send(station, event("Updated", 9, 2))
    assert (await find(station)).flags == frozenset()


async def test_numbers_begin_anew_in_each_transaction(station):
    await send(station, *session("a"), *session("b", minute=10))
    assert (await find(station, "a")).flags == (await find(station, "b")).flags == frozenset()


async def test_station_that_counts_anew_within_a_transaction_loses_no_event(station, rows):
    await send(
        station,
        event("Started", 0, 0, evse=1, register=1000),
        event("Updated", 1, 1, register=1100, chargingState="Charging"),
        # A restart of the station, after which it goes on with the transaction.
        event("Updated", 0, 10, register=1200, chargingState="SuspendedEVSE"),
        event("Updated", 1, 11, register=1300, chargingState="Charging"),
        event("Updated", 2, 12, register=1400),
        event("Ended", 3, 13, register=1500),
    )
    found = await find(station)
    assert found.flags == {TransactionFlag.SEQUENCE_RESTARTED}
    assert (found.energy_mwh, found.is_open) == (500_000, False)
    numbers = await rows("SELECT run, seq_no FROM transaction_events ORDER BY id")
    assert [tuple(row.values()) for row in numbers] == [
        (0, 0),
        (0, 1),
        (1, 0),
        (1, 1),
        (1, 2),
        (1, 3),
    ]


async def test_station_that_never_counts_is_understood_by_the_order_of_arrival(station):
    await send(station, *[{**payload, "seqNo": 0} for payload in session()])
    found = await find(station)
    assert (found.energy_mwh, found.is_open) == (700_000, False)
    assert found.flags == {TransactionFlag.SEQUENCE_RESTARTED}


async def test_what_comes_after_the_end_is_history(station, rows, events):
    await send(station, *session())
    told = kinds(events)
    await send(station, event("Updated", 3, 30, register=9000, chargingState="Charging"))
    await send(station, event("Ended", 4, 31, register=9100))
    found = await find(station)
    assert (found.is_open, found.energy_mwh, found.charging_state) == (False, 700_000, None)
    assert kinds(events) == told
    assert len(await rows("SELECT * FROM transaction_events")) == 5


async def test_old_id_for_a_new_transaction_revives_nothing_and_is_recorded(station, rows):
    await send(station, *session())
    await send(station, event("Started", 0, 40, evse=1, register=5000, chargingState="Charging"))
    found = await find(station)
    assert (found.is_open, found.energy_mwh) == (False, 700_000)
    (conflict,) = await rows(
        "SELECT action, cause, station_transaction_id FROM transaction_conflicts"
    )
    assert tuple(conflict.values()) == ("TransactionEvent", "already_ended", "tx-1")


# ---- ends that never came --------------------------------------------------------------------


async def test_next_start_on_the_evse_ends_a_transaction_whose_end_was_lost(station, events):
    await send(station, *session()[:2])
    await send(station, event("Started", tx="other", evse=2, minute=20))
    assert (await find(station)).is_open
    await send(station, event("Started", tx="next", evse=1, minute=30))
    found = await find(station)
    assert (found.is_open, found.flags) == (False, {TransactionFlag.INFERRED_END})
    assert (found.energy_mwh, found.stop_reason) == (500_000, None)
    assert [e.data["inferred"] for e in events if e.type == "transaction.ended"] == [True]


async def test_late_end_replaces_an_inferred_one(station, events):
    started, updated, ended = session()
    await send(station, started, updated, event("Started", tx="next", evse=1, minute=30))
    await send(station, {**ended, "offline": True})
    found = await find(station)
    assert (found.flags, found.energy_mwh, found.stop_reason) == (frozenset(), 700_000, "Remote")
    assert [e.data["inferred"] for e in events if e.type == "transaction.ended"] == [True, False]


async def test_replayed_event_does_not_revive_a_transaction_with_an_inferred_end(station):
    await send(station, *session()[:2], event("Started", tx="next", evse=1, minute=30))
    for late in (
        event("Updated", 2, 20, register=1600, chargingState="Charging"),
        event("Updated", 3, 40, register=1650, chargingState="Charging", offline=True),
    ):
        await send(station, late)
        found = await find(station)
        assert (found.is_open, found.charging_state) == (False, None)
    assert found.energy_mwh == 650_000
    assert found.flags == {TransactionFlag.INFERRED_END}


async def test_replayed_start_ends_nothing(station):
    await send(station, event("Updated", 1, 20, evse=1, tx="now"))
    await send(station, event("Started", 0, 0, evse=1, tx="old", offline=True))
    assert (await find(station, "now")).is_open


async def test_start_from_the_backlog_does_not_end_a_later_transaction(station):
    await send(station, event("Started", evse=1, minute=30, tx="now"))
    await send(station, event("Started", evse=1, minute=10, tx="old"))
    assert (await find(station, "now")).is_open


@pytest.mark.parametrize(
    ("reason", "is_over"),
    [
        ("PowerUp", True),
        ("Watchdog", True),
        ("Triggered", False),
        ("Unknown", False),
        (None, False),
    ],
)
async def test_boot_ends_what_was_open_when_the_station_was_down(station, reason, is_over):
    await send(station, *session()[:2])
    await boot_notification.on_v2x(station, {"reason": reason})
    assert (await find(station)).is_end_inferred == is_over


async def test_transaction_that_resumes_after_a_boot_goes_on(station, events):
    await send(station, *session()[:2])
    await boot_notification.on_v2x(station, {"reason": "PowerUp"})
    resumed = event("Updated", 2, 30, register=1800, chargingState="Charging")
    await send(station, {**resumed, "triggerReason": "TxResumed"})
    found = await find(station)
    assert (found.is_open, found.charging_state, found.flags) == (True, "Charging", frozenset())
    await send(station, event("Ended", 3, 40, register=2000, stoppedReason="Local"))
    found = await find(station)
    assert (found.energy_mwh, found.flags) == (1_000_000, frozenset())
    assert [e.data["inferred"] for e in events if e.type == "transaction.ended"] == [True, False]


# ---- tokens ----------------------------------------------------------------------------------


async def test_every_verdict_of_the_ten_is_answered_as_it_is(station, db):
    for status in AuthorizationStatus:
        await db.write(
            lambda tx, s=status: id_tokens.insert(
                tx, s.value, token_type="Local", status=s, group="fleet"
            )
        )
        answer = await send(
            station, event("Started", tx=status.value, idToken=token(status.value, "Local"))
        )
        # What nobody decided about goes by the policy.
        expected = "Accepted" if status is AuthorizationStatus.UNKNOWN else status.value
        group = {"idToken": "fleet", "type": "Central"}
        assert answer == {"idTokenInfo": {"status": expected, "groupIdToken": group}}


async def test_refused_start_is_stored_all_the_same(connect, rows):
    station = await connect("S", V201, unknown_id_tokens=UnknownIdTokens.REFUSE)
    answer = await send(station, session()[0])
    assert answer == {"idTokenInfo": {"status": "Unknown"}}
    assert (await find(station)).id_token_status == "Unknown"
    assert [row["value"] for row in await rows("SELECT value FROM id_tokens")] == ["TAG1"]


async def test_charge_without_authorization_is_judged_by_the_policy_and_not_recorded(connect, rows):
    nobody = token("", "NoAuthorization")
    lenient = await connect("A", V201)
    answer = await send(lenient, event("Started", evse=1, idToken=nobody))
    assert answer == {"idTokenInfo": {"status": "Accepted"}}
    strict = await connect("B", V201, unknown_id_tokens=UnknownIdTokens.REFUSE)
    answer = await send(strict, event("Started", evse=1, idToken=nobody))
    assert answer == {"idTokenInfo": {"status": "Unknown"}}
    assert await rows("SELECT * FROM id_tokens") == []


async def test_token_that_stops_is_not_the_one_that_charged(station, rows):
    started, updated, ended = session()
    stopper = {"idToken": token("GUARD"), "triggerReason": "StopAuthorized"}
    await send(station, started, {**updated, **stopper})
    answer = await send(station, {**ended, **stopper})
    assert answer == {"idTokenInfo": {"status": "Accepted"}}
    assert (await find(station)).id_token == "TAG1"
    assert [row["value"] for row in await rows("SELECT value FROM id_tokens")] == ["TAG1"]


async def test_last_token_that_authorized_is_the_one_of_the_transaction(station):
    await send(
        station,
        event("Started", 0, evse=1),
        event("Updated", 1, 1, idToken=token("FIRST")),
        event("Updated", 2, 2, idToken=token("SECOND")),
    )
    assert (await find(station)).id_token == "SECOND"


# ---- flaws -----------------------------------------------------------------------------------


@pytest.mark.parametrize("registers", [(1000, 1500, 200), (1000, 100, 1200), (1000, 999, 900)])
async def test_register_that_falls_leaves_the_energy_unknown(station, registers):
    kinds_of = ("Started", "Updated", "Ended")
    for number, (kind, register) in enumerate(zip(kinds_of, registers, strict=True)):
        await send(station, event(kind, number, number, evse=1, register=register))
    found = await find(station)
    assert (found.energy_mwh, found.flags) == (None, {TransactionFlag.REGISTER_FELL})


UNUSABLE = [
    None,
    [{"value": "NaN"}],
    [{"value": -5}],
    [{"value": 1e300}],
    [{"value": 9000, "unitOfMeasure": {"unit": "parsec"}}],
    [{"value": 9000, "location": "Inlet"}],
    [{"value": 9000, "phase": "L1"}],
]


@pytest.mark.parametrize("other", UNUSABLE)
@pytest.mark.parametrize("shown", ["Started", "Updated", "Ended"])
async def test_a_single_register_is_no_energy(station, shown, other):
    for number, kind in enumerate(("Started", "Updated", "Ended")):
        message = event(kind, number, number, evse=1, register=17000 if kind == shown else None)
        if kind != shown and other is not None:
            message["meterValue"] = [
                {"timestamp": "2026-05-01T10:00:00Z", "sampledValue": other},
            ]
        await send(station, message)
    found = await find(station)
    assert (found.is_open, found.energy_mwh) == (False, None)


async def test_two_equal_registers_are_no_energy_drawn(station):
    await send(
        station,
        event("Started", 0, 0, evse=1, register=1000),
        event("Ended", 1, 1, register=1000),
    )
    assert (await find(station)).energy_mwh == 0


async def test_rounding_is_no_fall_of_the_register(station):
    await send(
        station,
        event("Started", 0, 0, evse=1, register=1000),
        event("Updated", 1, 1, register=1500.4),
        event("Ended", 2, 2, register=1500),
    )
    found = await find(station)
    assert (found.energy_mwh, found.flags) == (500_400, frozenset())


@pytest.mark.parametrize(
    "at", ["1970-01-01T00:00:01Z", "222222017-10-27T00:00:00Z", None, 5, "soon"]
)
async def test_without_a_clock_the_transaction_is_flagged_and_still_one(station, at):
    for payload in session():
        await send(station, {**payload, "timestamp": at})
    found = await find(station)
    assert (found.started_at, found.ended_at, found.is_open) == (None, None, False)
    assert (found.energy_mwh, found.flags) == (700_000, {TransactionFlag.CLOCK_SUSPECT})


async def test_event_without_a_number_is_stored_once(station, rows):
    started, updated, ended = session()
    del updated["seqNo"]
    await send(station, started, updated, updated, ended)
    found = await find(station)
    assert (found.energy_mwh, TransactionFlag.SEQUENCE_GAP in found.flags) == (700_000, True)
    assert len(await rows("SELECT * FROM transaction_events")) == 3


@pytest.mark.parametrize("info", [{}, {"transactionId": ""}, {"transactionId": None}, None, "x"])
async def test_event_that_names_no_transaction_is_recorded_with_its_readings(station, info, rows):
    payload = {**session()[0], "transactionInfo": info}
    for _ in range(2):
        assert await send(station, payload) == {"idTokenInfo": {"status": "Accepted"}}
    (conflict,) = await rows("SELECT cause, repeats, raw FROM transaction_conflicts")
    assert (conflict["cause"], conflict["repeats"]) == ("unknown_transaction", 1)
    assert orjson.loads(conflict["raw"]) == payload
    (reading,) = await rows("SELECT evse_id, transaction_id FROM meter_values")
    assert tuple(reading.values()) == (1, None)
    assert await rows("SELECT * FROM transactions") == []


async def test_number_as_an_id_and_unknown_words_are_kept(station):
    payload = event("Paused", 0, tx=17, evse=1, chargingState="Dreaming")
    await send(station, payload)
    found = await find(station, "17")
    assert (found.is_open, found.charging_state) == (True, "Dreaming")


# ---- others ----------------------------------------------------------------------------------


async def test_same_id_of_another_station_is_another_transaction(station, neighbour):
    await send(station, *session()[:2])
    await send(neighbour, *session(begin=9000))
    assert (await find(station)).is_open
    assert (await find(station)).energy_mwh == 500_000
    assert (await find(neighbour)).energy_mwh == 700_000


async def test_status_of_the_connector_leaves_the_charging_state_alone(station):
    await send(station, *session()[:2])
    status = {"evseId": 1, "connectorId": 1, "connectorStatus": "Occupied"}
    await status_notification.on_v2x(station, status)
    assert (await find(station)).charging_state == "Charging"


async def test_answer_of_2_1_may_name_a_longer_group(station, db):
    await db.write(
        lambda tx: id_tokens.insert(
            tx, "TAG1", status=AuthorizationStatus.ACCEPTED, group="g" * 100
        )
    )
    assert "groupIdToken" not in (await send(station, session()[0]))["idTokenInfo"]
    newer = replace(station, version=V21)
    answer = await send(newer, event("Started", tx="b", idToken=token()))
    assert answer["idTokenInfo"]["groupIdToken"]["idToken"] == "g" * 100
