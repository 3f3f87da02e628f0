"""Whatever a station sends, it gets an answer that its schema allows, or a storage error."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable
from dataclasses import replace
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from csms.clock import SystemClock
from csms.domain.stations import NewStation
from csms.domain.versions import OcppVersion
from csms.errors import Invalid, StorageFull
from csms.events import Bus
from csms.ocpp import schemas
from csms.ocpp.actions import HANDLERS
from csms.ocpp.context import StationContext
from csms.ocpp.settings import OcppSettings
from csms.services.heartbeats import Heartbeats
from csms.store import stations
from csms.store.database import Database
from tests.databases import empty_database

DURABLE = (
    "BootNotification",
    "StatusNotification",
    "StartTransaction",
    "StopTransaction",
    "MeterValues",
    "DiagnosticsStatusNotification",
    "FirmwareStatusNotification",
    "LogStatusNotification",
    "SecurityEventNotification",
    "SignedFirmwareStatusNotification",
)
DURABLE_V2X = (
    "BootNotification",
    "FirmwareStatusNotification",
    "LogStatusNotification",
    "MeterValues",
    "NotifyEvent",
    "SecurityEventNotification",
    "StatusNotification",
    "TransactionEvent",
)
json_value: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**63 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
        st.sampled_from(["2026-05-01T10:00:00Z", "Charging", "Accepted", "TAG1"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
sample = st.one_of(
    json_value,
    st.dictionaries(
        st.sampled_from(["value", "context", "measurand", "unit", "phase", "location", "format"]),
        json_value,
    ),
    st.fixed_dictionaries(
        {
            "value": json_value,
            "unitOfMeasure": st.fixed_dictionaries({"unit": json_value, "multiplier": json_value}),
        }
    ),
)
meter_value = st.one_of(
    json_value,
    st.fixed_dictionaries({"timestamp": json_value, "sampledValue": st.lists(sample, max_size=3)}),
)
FIELDS = [
    "chargePointVendor",
    "chargePointModel",
    "chargePointSerialNumber",
    "firmwareVersion",
    "connectorId",
    "status",
    "errorCode",
    "info",
    "vendorErrorCode",
    "timestamp",
    "idTag",
    "meterStart",
    "meterStop",
    "transactionId",
    "reason",
    "reservationId",
    "vendorId",
    "messageId",
    "data",
    "evseId",
    "connectorStatus",
    "eventType",
    "triggerReason",
    "seqNo",
    "offline",
    "certificate",
]
# Objects of OCPP 2.x with the fields in them that are read.
INNER = {
    "chargingStation": ["vendorName", "model", "serialNumber", "firmwareVersion"],
    "idToken": ["idToken", "type"],
    "transactionInfo": ["transactionId", "chargingState", "stoppedReason", "remoteStartId"],
    "evse": ["id", "connectorId"],
}
inner = st.fixed_dictionaries(
    {},
    optional={
        name: st.one_of(json_value, st.dictionaries(st.sampled_from(fields), json_value))
        for name, fields in INNER.items()
    },
)
payload = st.builds(
    lambda plain, objects, values, stop: {**plain, **objects, **values, **stop},
    st.dictionaries(st.sampled_from(FIELDS), json_value, max_size=8),
    inner,
    st.dictionaries(st.just("meterValue"), st.lists(meter_value, max_size=3)),
    st.dictionaries(st.just("transactionData"), st.lists(meter_value, max_size=3)),
)


@pytest.fixture(scope="module")
def answer():
    """A way to run handlers from a property, on one database for all of its examples."""
    loop = asyncio.new_event_loop()
    clock, bus = SystemClock(), Bus()
    with tempfile.TemporaryDirectory() as folder:
        db = Database(empty_database(folder), clock=clock, bus=bus)
        loop.run_until_complete(db.open())
        row = loop.run_until_complete(db.write(lambda tx: stations.insert(tx, NewStation("S"))))
        station = StationContext(
            db=db,
            bus=bus,
            clock=clock,
            settings=OcppSettings(),
            heartbeats=Heartbeats(db, clock),
            epoch=1,
            station_id=row.id,
            identity="S",
            version=OcppVersion.V16,
            generation=1,
            address="192.0.2.1",
            strict=False,
            log=structlog.make_filtering_bound_logger(50)(None, [], {}),
        )

        async def ask(key, message):
            found = HANDLERS[key](replace(station, version=key[0]), message)
            return await found if isinstance(found, Awaitable) else found

        yield lambda key, message: loop.run_until_complete(ask(key, message))
        loop.run_until_complete(db.close())
    loop.close()


@settings(max_examples=600, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.sampled_from(sorted(HANDLERS)), message=payload)
def test_every_action_answers_any_payload_as_its_schema_says(answer, key, message):
    checker = schemas.checker(*key, "response")
    try:
        found = answer(key, message)
    except Invalid:  # the router answers: a value it cannot accept
        return
    if checker is None:  # of a SEND, which may come as a CALL
        assert found == {}
    else:
        assert checker(found), found


@pytest.mark.parametrize(
    "key",
    [(OcppVersion.V16, action) for action in DURABLE]
    + [(OcppVersion.V201, action) for action in DURABLE_V2X],
)
async def test_nothing_is_acknowledged_that_could_not_be_stored(station, monkeypatch, key):
    async def full(fn):
        raise StorageFull("full")

    monkeypatch.setattr(station.db, "write", full)
    with pytest.raises(StorageFull):
        await HANDLERS[key](replace(station, version=key[0]), {})
