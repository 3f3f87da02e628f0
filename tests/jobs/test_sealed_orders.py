"""Orders with passwords: the station gets them, and nobody finds them in the database."""

from __future__ import annotations

import pytest

from csms.domain.jobs import ItemState, NewItem, OfflinePolicy, Policy
from csms.domain.sealing import Seal
from csms.domain.versions import OcppVersion
from csms.errors import Conflict
from csms.jobs.kinds import command
from csms.jobs.kinds.command import Wanted

from .conftest import PRINCIPAL, Bench

V201 = OcppVersion.V201
CANARY = "canary-of-the-apn"
PARAMS = {
    "configuration_slot": 1,
    "ocpp_csms_url": "wss://example.com",
    "security_profile": 2,
    "ocpp_interface": "Wireless0",
    "apn": {"apn": "internet", "authentication": "PAP", "password": CANARY, "sim_pin": 4711},
}
CONNECTION = {
    "ocppVersion": "OCPP20",
    "ocppTransport": "JSON",
    "ocppCsmsUrl": "wss://example.com",
    "messageTimeout": 30,
    "securityProfile": 2,
    "ocppInterface": "Wireless0",
    "apn": {
        "apn": "internet",
        "apnAuthentication": "PAP",
        "apnPassword": CANARY,
        "simPin": 4711,
    },
}
PAYLOAD = {"configurationSlot": 1, "connectionData": CONNECTION}
IN_OUR_WORDS = Wanted(command="set_network_profile", params=PARAMS)
AS_GIVEN = Wanted(version=V201, action="SetNetworkProfile", payload=PAYLOAD)


async def submit(bench: Bench, wanted: Wanted):
    made = await bench.station("S")
    bench.stations.versions[made.id] = V201
    order = command.submission(
        principal=PRINCIPAL,
        wanted=wanted,
        targets=[NewItem(made.uuid, made.id)],
        dialect="native",
        policy=Policy(offline=OfflinePolicy.WAIT),
    )
    return made, (await bench.engine.submit(order)).job


async def everything(bench: Bench) -> str:
    """All that the database says."""

    def dump(tx):
        tables = tx.all("SELECT name FROM sqlite_schema WHERE type = 'table'")
        rows = [row for table in tables for row in tx.all(f'SELECT * FROM "{table["name"]}"')]
        return str([tuple(row) for row in rows])

    return await bench.db.read(dump)


@pytest.mark.parametrize("wanted", [IN_OUR_WORDS, AS_GIVEN])
async def test_the_station_gets_the_passwords_and_the_database_does_not(bench: Bench, wanted):
    _, job = await submit(bench, wanted)
    (sent,) = await bench.stations.delivered(1)
    assert PAYLOAD == sent.payload
    sent.answer.set_result({"status": "Accepted"})
    item = await bench.engine.settled(job.id, timeout_s=10)
    assert ItemState.SUCCEEDED == item.state
    told = await everything(bench)
    assert "SetNetworkProfile" in told or "set_network_profile" in told
    assert CANARY not in told
    assert "4711" not in told


async def test_they_are_sent_again_after_a_crash(bench: Bench):
    made, job = await submit(bench, IN_OUR_WORDS)
    await bench.stations.delivered(1)
    await bench.crash()
    bench.stations.automatic = lambda call: {"status": "Accepted"}
    bench.stations.connect(made.id)
    item = await bench.engine.settled(job.id, timeout_s=10)
    assert ItemState.SUCCEEDED == item.state
    assert [PAYLOAD] * 2 == [call.payload for call in bench.stations.calls]


def test_what_is_sealed_opens_with_its_key_only():
    sealed = Seal(b"a" * 32).close({"password": CANARY})
    assert CANARY not in sealed
    assert {"password": CANARY} == Seal(b"a" * 32).open(sealed)
    with pytest.raises(Conflict):
        Seal(b"b" * 32).open(sealed)
