from __future__ import annotations

import json

import pytest

from csms.domain.device_model import Monitor, VariableKey
from csms.domain.multipart import ReportKind
from csms.domain.versions import OcppVersion
from csms.ocpp import schemas
from csms.ocpp.actions.notify_monitoring_report import on_v2x
from csms.services import reports
from csms.store import variable_monitors

POWER = VariableKey(component="EVSE", variable="Power", evse_id=1)


def monitor(monitor_id=1, **more):
    return {
        "id": monitor_id,
        "transaction": True,
        "value": 1000,
        "type": "UpperThreshold",
        "severity": 4,
        **more,
    }


def message(*monitors, seq_no=0, tbc=False, request_id=7):
    return {
        "requestId": request_id,
        "generatedAt": "2026-05-01T11:59:00Z",
        "seqNo": seq_no,
        "tbc": tbc,
        "monitor": [
            {
                "component": {"name": "EVSE", "evse": {"id": 1}},
                "variable": {"name": "Power"},
                "variableMonitoring": list(monitors),
            }
        ],
    }


@pytest.fixture
def monitors(db, station):
    async def read(of=station):
        return await db.read(lambda tx: variable_monitors.list_of_station(tx, of.station_id))

    return read


@pytest.fixture
def request_report(db, station):
    async def accepted(request_id, **criteria):
        request = json.dumps({"requestId": request_id, **criteria})
        await db.write(
            lambda tx: reports.expect(
                tx, station.station_id, ReportKind.MONITORS, request_id, request
            )
        )

    return accepted


@pytest.mark.parametrize("version", [OcppVersion.V201, OcppVersion.V21])
async def test_a_monitor_is_kept_with_its_variable(station, monitors, version):
    origin = {} if version is OcppVersion.V201 else {"eventNotificationType": "CustomMonitor"}
    payload = message(monitor(**origin))
    assert schemas.is_valid(version, "NotifyMonitoringReport", "request", payload)
    answer = await on_v2x(station, payload)
    assert schemas.is_valid(version, "NotifyMonitoringReport", "response", answer)
    assert await monitors() == [
        Monitor(
            id=1,
            key=POWER,
            type="UpperThreshold",
            value=1000.0,
            severity=4,
            in_transaction=True,
            origin=origin.get("eventNotificationType"),
        )
    ]


async def test_a_whole_report_of_all_monitors_forgets_the_others(station, monitors, request_report):
    await on_v2x(station, message(monitor(1), monitor(2), monitor(3)))
    await request_report(8)
    await on_v2x(station, message(monitor(3), seq_no=1, request_id=8))
    assert [each.id for each in await monitors()] == [1, 2, 3]
    await on_v2x(station, message(monitor(1), tbc=True, request_id=8))
    assert [each.id for each in await monitors()] == [1, 3]


@pytest.mark.parametrize(
    "criteria",
    [{"monitoringCriteria": ["DeltaMonitoring"]}, {"componentVariable": [{"component": {}}]}],
)
async def test_a_report_of_some_monitors_forgets_none(station, monitors, request_report, criteria):
    await on_v2x(station, message(monitor(1), monitor(2)))
    await request_report(8, **criteria)
    await on_v2x(station, message(monitor(1), request_id=8))
    assert [each.id for each in await monitors()] == [1, 2]


async def test_a_report_that_nobody_asked_for_forgets_none(station, monitors):
    await on_v2x(station, message(monitor(1), monitor(2)))
    await on_v2x(station, message(monitor(1), request_id=8))
    assert [each.id for each in await monitors()] == [1, 2]


async def test_ids_belong_to_their_station(station, neighbour, monitors):
    await on_v2x(station, message(monitor(1, severity=1)))
    await on_v2x(neighbour, message(monitor(1, severity=2)))
    assert [each.severity for each in await monitors()] == [1]
    assert [each.severity for each in await monitors(neighbour)] == [2]


async def test_a_repeated_part_changes_nothing(station, monitors):
    for _ in range(2):
        assert await on_v2x(station, message(monitor())) == {}
    assert len(await monitors()) == 1


async def test_nonsense_is_stored_and_answered(station, monitors, rows):
    flawed = (
        {},
        {"monitor": [5, {"component": {"name": "EVSE"}}], "seqNo": "-1"},
        message({"id": "x"}, {"type": "Gut", "value": "high"}, request_id=8),
        message({"id": "9", "severity": "2", "value": "1.5", "transaction": "TRUE"}, request_id=9),
    )
    for payload in flawed:
        assert await on_v2x(station, payload) == {}
    assert [(each.id, each.severity, each.value) for each in await monitors()] == [(9, 2, 1.5)]
    assert len(await rows("SELECT * FROM report_parts")) == len(flawed)
