from __future__ import annotations

from csms.domain.multipart import ReportKind
from csms.domain.versions import OcppVersion
from csms.ocpp import schemas
from csms.ocpp.actions import report_der_control
from csms.services import reports as service
from csms.store import reports

V21 = OcppVersion.V21
GRADIENT = {"priority": 1, "gradient": 5, "softGradient": 2}


def part(control_id, **more):
    return {
        "requestId": 7,
        "gradient": [{"id": control_id, "gradient": GRADIENT}],
        **more,
    }


async def report(station, payload):
    station.version = V21
    answer = await report_der_control.on_v21(station, payload)
    assert schemas.is_valid(V21, "ReportDERControl", "response", answer)


async def test_a_report_is_whole_with_its_last_part(station, db):
    await db.write(
        lambda tx: service.expect(tx, station.station_id, ReportKind.DER_CONTROLS, 7, "{}")
    )
    for payload in (part("A", tbc=True), part("A", tbc=True), part("B")):
        assert schemas.is_valid(V21, "ReportDERControl", "request", payload)
        await report(station, payload)
    found = await db.read(
        lambda tx: reports.find_newest(tx, station.station_id, ReportKind.DER_CONTROLS, 7)
    )
    assert found.complete
    assert len(await db.read(lambda tx: reports.list_parts(tx, found.id))) == 2


async def test_a_flawed_part_is_kept(station, db):
    await report(station, {"gradient": "x"})
    found = await db.read(lambda tx: reports.list_of_station(tx, station.station_id))
    assert await db.read(lambda tx: reports.list_parts(tx, found[0].id)) == ['{"gradient":"x"}']


async def test_the_report_of_another_station_is_another_one(station, neighbour, db):
    await report(station, part("A", tbc=True))
    await report(neighbour, part("B"))
    found = await db.read(lambda tx: reports.list_of_station(tx, station.station_id))
    assert [one.complete for one in found] == [False]
