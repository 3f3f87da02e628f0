"""Commands that only OCPP 2.1 has: encodings, readings of answers, what they leave behind."""

from __future__ import annotations

import pytest

from csms.domain.jobs import CommandClass
from csms.domain.multipart import ReportKind
from csms.domain.notices import Notice
from csms.domain.stations import NewStation
from csms.domain.versions import OcppVersion
from csms.errors import Invalid, NotSupportedByVersion
from csms.ocpp.commands import COMMANDS, typed
from csms.ocpp.commands.command import Evidence, EvidenceQuery, Order
from csms.services import event_streams as streams_service
from csms.services.event_streams import NewStream
from csms.store import dynamic_schedules, event_streams, notices, reports, stations

V16, V201, V21 = OcppVersion
CURVE = {"curve_data": [{"x": 1, "y": 2.5}], "priority": 0, "y_unit": "PctMaxW"}
TARIFF = {
    "tariff_id": "T-1",
    "currency": "EUR",
    "energy": {
        "prices": [
            {
                "price_kwh": 0.25,
                "conditions": {"day_of_week": ["Monday"], "min_power_w": 1000, "evse_kind": "DC"},
            }
        ],
        "tax_rates": [{"type": "VAT", "tax": 19}],
    },
    "min_cost": {"incl_tax": 1},
    "valid_from": "2026-05-01T12:00:00Z",
}
TARIFF_WIRE = {
    "tariffId": "T-1",
    "currency": "EUR",
    "energy": {
        "prices": [
            {
                "priceKwh": 0.25,
                "conditions": {"dayOfWeek": ["Monday"], "minPower": 1000.0, "evseKind": "DC"},
            }
        ],
        "taxRates": [{"type": "VAT", "tax": 19.0}],
    },
    "minCost": {"inclTax": 1.0},
    "validFrom": "2026-05-01T12:00:00.000Z",
}
CASES = [
    (
        "afrr_signal",
        {"timestamp": "2026-05-01T12:00:00+02:00", "signal": -5},
        {"timestamp": "2026-05-01T10:00:00.000Z", "signal": -5},
    ),
    (
        "adjust_periodic_event_stream",
        {"stream_id": 4, "interval_s": 10},
        {"id": 4, "params": {"interval": 10}},
    ),
    (
        "change_transaction_tariff",
        {"transaction_id": "TX", "tariff": TARIFF},
        {"transactionId": "TX", "tariff": TARIFF_WIRE},
    ),
    ("clear_der_control", {"is_default": False}, {"isDefault": False}),
    (
        "clear_tariffs",
        {"tariff_ids": ["T-1"], "evse_id": 2},
        {"tariffIds": ["T-1"], "evseId": 2},
    ),
    ("clear_tariffs", {}, {}),
    (
        "get_der_control",
        {"request_id": 7, "control_type": "VoltVar"},
        {"requestId": 7, "controlType": "VoltVar"},
    ),
    ("get_periodic_event_stream", {}, {}),
    ("get_tariffs", {}, {"evseId": 0}),
    ("get_tariffs", {"evse_id": 3}, {"evseId": 3}),
    (
        "notify_allowed_energy_transfer",
        {"transaction_id": "TX", "allowed_energy_transfer": ["DC", "DC_BPT"]},
        {"transactionId": "TX", "allowedEnergyTransfer": ["DC", "DC_BPT"]},
    ),
    (
        "notify_web_payment_started",
        {"evse_id": 1, "timeout_s": 120},
        {"evseId": 1, "timeout": 120},
    ),
    (
        "request_battery_swap",
        {"id_token": "ABC", "request_id": 7},
        {"idToken": {"idToken": "ABC", "type": "Central"}, "requestId": 7},
    ),
    (
        "set_default_tariff",
        {"tariff": TARIFF},
        {"evseId": 0, "tariff": TARIFF_WIRE},
    ),
    (
        "set_der_control",
        {"control_id": "C-1", "control_type": "VoltWatt", "is_default": True, "curve": CURVE},
        {
            "controlId": "C-1",
            "controlType": "VoltWatt",
            "isDefault": True,
            "curve": {"curveData": [{"x": 1.0, "y": 2.5}], "priority": 0, "yUnit": "PctMaxW"},
        },
    ),
    (
        "update_dynamic_schedule",
        {"charging_profile_id": 3, "schedule_update": {"limit_l2": 6, "discharge_limit": -1}},
        {"chargingProfileId": 3, "scheduleUpdate": {"limit_L2": 6.0, "dischargeLimit": -1.0}},
    ),
    (
        "use_priority_charging",
        {"transaction_id": "TX", "activate": True},
        {"transactionId": "TX", "activate": True},
    ),
]
ONLY_V21 = sorted(name for name, one in COMMANDS.items() if one.actions.keys() == {V21})


@pytest.mark.parametrize(("name", "values", "expected"), CASES)
def test_encodes_for_2_1(name, values, expected):
    assert typed(V21, name, values) == Order(COMMANDS[name].actions[V21], expected)


def test_every_command_of_2_1_alone_is_encoded_here():
    assert {name for name, _, _ in CASES} == set(ONLY_V21)
    assert len(ONLY_V21) == 15


@pytest.mark.parametrize("version", [V16, V201])
@pytest.mark.parametrize(("name", "values", "expected"), CASES)
def test_older_versions_do_not_have_it(name, values, expected, version):
    with pytest.raises(NotSupportedByVersion):
        typed(version, name, values)


@pytest.mark.parametrize(
    ("name", "values", "loc"),
    [
        ("afrr_signal", {"timestamp": "2026-05-01T12:00:00", "signal": 1}, ("timestamp",)),
        ("adjust_periodic_event_stream", {"stream_id": 4}, ("interval_s",)),
        ("notify_web_payment_started", {"evse_id": 1, "timeout_s": 0}, ("timeout_s",)),
        (
            "update_dynamic_schedule",
            {"charging_profile_id": 3, "schedule_update": {}},
            ("schedule_update",),
        ),
        (
            "update_dynamic_schedule",
            {"charging_profile_id": 3, "schedule_update": {"discharge_limit": 1}},
            ("schedule_update", "discharge_limit"),
        ),
        (
            "set_default_tariff",
            {"tariff": {**TARIFF, "max_cost": {}}},
            ("tariff", "max_cost"),
        ),
        (
            "set_default_tariff",
            {"tariff": {**TARIFF, "currency": "EURO"}},
            ("tariff", "currency"),
        ),
        (
            "set_der_control",
            {"control_id": "C", "control_type": "FreqDroop", "is_default": True, "curve": CURVE},
            ("curve",),
        ),
        (
            "set_der_control",
            {"control_id": "C", "control_type": "Gradients", "is_default": True},
            ("gradient",),
        ),
        (
            "set_der_control",
            {
                "control_id": "C",
                "control_type": "VoltVar",
                "is_default": True,
                "curve": {**CURVE, "start_time": "2026-05-01T12:00:00Z"},
            },
            ("curve", "start_time"),
        ),
    ],
)
def test_refuses_a_bad_parameter_with_its_path(name, values, loc):
    with pytest.raises(Invalid) as refusal:
        typed(V21, name, values)
    assert refusal.value.loc == loc


@pytest.mark.parametrize(
    ("name", "answer", "accepted", "on_repeat"),
    [
        ("set_der_control", {"status": "NotSupported"}, False, False),
        ("clear_der_control", {"status": "NotFound"}, False, True),
        ("get_der_control", {"status": "NotFound"}, True, True),
        ("get_tariffs", {"status": "NoTariff"}, True, True),
        ("get_tariffs", {"status": "Rejected"}, False, False),
        ("set_default_tariff", {"status": "DuplicateTariffId"}, False, True),
        ("change_transaction_tariff", {"status": "NoCurrencyChange"}, False, False),
        ("use_priority_charging", {"status": "NoProfile"}, False, False),
        ("get_periodic_event_stream", {}, True, True),
        ("notify_web_payment_started", {}, True, True),
        ("clear_tariffs", {"clearTariffsResult": [{"status": "Accepted"}]}, True, True),
        (
            "clear_tariffs",
            {"clearTariffsResult": [{"status": "Accepted"}, {"status": "NoTariff"}]},
            False,
            True,
        ),
        (
            "clear_tariffs",
            {"clearTariffsResult": [{"status": "NoTariff"}, {"status": "Rejected"}]},
            False,
            False,
        ),
    ],
)
def test_reads_the_answer(name, answer, accepted, on_repeat):
    command = COMMANDS[name]
    assert command.read(answer).accepted is accepted
    assert command.read_repeat(answer).accepted is on_repeat


def test_a_refused_tariff_is_named():
    answer = {
        "clearTariffsResult": [
            {"status": "Accepted", "tariffId": "A"},
            {"status": "Rejected", "tariffId": "B"},
        ]
    }
    assert COMMANDS["clear_tariffs"].read(answer).detail == "Rejected: B"


def test_only_a_battery_swap_is_never_repeated():
    classes = {name: COMMANDS[name].command_class for name in ONLY_V21}
    assert [name for name in ONLY_V21 if classes[name] is CommandClass.C] == [
        "request_battery_swap"
    ]


@pytest.fixture
async def station(db):
    return await db.write(lambda tx: stations.insert(tx, NewStation("GARAGE-1")))


async def settle(db, station, name, values, answer):
    command = COMMANDS[name]
    order = typed(V21, name, values)
    read = command.read(answer)
    await db.write(lambda tx: command.settled(tx, station.id, order.payload, read))


@pytest.mark.parametrize(("status", "expected"), [("Accepted", {"limit": 6.0}), ("Rejected", None)])
async def test_an_accepted_update_is_kept_for_the_station_to_pull(db, station, status, expected):
    values = {"charging_profile_id": 3, "schedule_update": {"limit": 6}}
    await settle(db, station, "update_dynamic_schedule", values, {"status": status})
    assert await db.read(lambda tx: dynamic_schedules.find(tx, station.id, 3)) == expected


@pytest.mark.parametrize(("status", "expected"), [("Accepted", (60, 10)), ("Rejected", (5, 10))])
async def test_an_accepted_pace_is_noted(db, station, status, expected):
    await db.write(lambda tx: streams_service.opened(tx, station.id, NewStream(4, 11, 5, 10)))
    values = {"stream_id": 4, "interval_s": 60}
    await settle(db, station, "adjust_periodic_event_stream", values, {"status": status})
    found = await db.read(lambda tx: event_streams.find(tx, station.id, 4))
    assert (found.interval_s, found.max_values) == expected


async def test_the_streams_that_the_station_lists_are_the_open_ones(db, station):
    await db.write(lambda tx: streams_service.opened(tx, station.id, NewStream(4, 11, 5, 10)))
    answer = {"constantStreamData": [{"id": 5, "variableMonitoringId": 12, "params": {}}, {}]}
    await settle(db, station, "get_periodic_event_stream", {}, answer)
    found = await db.read(lambda tx: event_streams.list_of_station(tx, station.id))
    assert [(one.stream_id, one.closed_at is None) for one in found] == [(4, False), (5, True)]


async def test_a_report_of_controls_is_expected_once_it_is_promised(db, station):
    for request_id, status in ((7, "Accepted"), (8, "NotFound")):
        await settle(db, station, "get_der_control", {"request_id": request_id}, {"status": status})
    found = await db.read(lambda tx: reports.list_of_station(tx, station.id))
    assert [(one.kind, one.request_id) for one in found] == [(ReportKind.DER_CONTROLS, 7)]


async def test_a_swap_that_names_the_request_is_its_evidence(db, station, clock):
    query = EvidenceQuery(station.id, 1, 1, clock.micros(), {"requestId": 7}, V21)

    async def evidence():
        return await db.read(lambda tx: COMMANDS["request_battery_swap"].evidence(tx, query))

    for reference in ("8", "7"):
        assert await evidence() is None
        notice = Notice("BatterySwap", reference, "BatteryIn", None, reference)
        await db.write(lambda tx, notice=notice: notices.insert(tx, station.id, notice))
    assert await evidence() == Evidence("battery swap", clock.micros(), inferred=False)
