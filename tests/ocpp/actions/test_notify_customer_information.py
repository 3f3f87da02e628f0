from __future__ import annotations

import json

import pytest

from csms.domain.multipart import ReportKind
from csms.domain.versions import OcppVersion
from csms.ocpp import schemas
from csms.ocpp.actions.notify_customer_information import on_v2x
from csms.store import reports


def message(data, *, seq_no=0, tbc=False):
    return {
        "data": data,
        "seqNo": seq_no,
        "tbc": tbc,
        "requestId": 7,
        "generatedAt": "2026-05-01T11:59:00Z",
    }


@pytest.fixture
def report(db, station):
    async def read(of=station):
        def find(tx):
            found = reports.find_newest(tx, of.station_id, ReportKind.CUSTOMER_INFORMATION)
            parts = [json.loads(part).get("data") for part in reports.list_parts(tx, found.id)]
            return found.complete, parts

        return await db.read(find)

    return read


@pytest.mark.parametrize("version", [OcppVersion.V201, OcppVersion.V21])
async def test_the_parts_make_a_whole_in_their_own_order(station, report, version):
    for payload in (message("Doe", seq_no=1), message("Jane ", tbc=True)):
        assert schemas.is_valid(version, "NotifyCustomerInformation", "request", payload)
        answer = await on_v2x(station, payload)
        assert schemas.is_valid(version, "NotifyCustomerInformation", "response", answer)
    assert await report() == (True, ["Jane ", "Doe"])


async def test_a_repeated_part_is_kept_once_and_stations_are_kept_apart(station, neighbour, report):
    for sender in (station, station, neighbour):
        await on_v2x(sender, message("Jane ", tbc=True))
    await on_v2x(neighbour, message("Roe", seq_no=1))
    assert await report() == (False, ["Jane "])
    assert await report(neighbour) == (True, ["Jane ", "Roe"])


async def test_nonsense_is_stored_and_answered(station, report):
    for payload in ({}, {"data": 5, "seqNo": {}, "requestId": []}):
        assert await on_v2x(station, payload) == {}
    assert await report() == (True, [5])
