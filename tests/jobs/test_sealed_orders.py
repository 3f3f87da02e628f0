"""Orders with passwords: the station gets them, and nobody finds them in the database."""

from __future__ import annotations

import pytest

from csms.domain.jobs import ItemState, NewItem, OfflinePolicy, Policy
from csms.domain.sealing import Seal
from csms.domain.versions import OcppVersion
from csms.errors import CallRefused, Conflict
from csms.jobs.kinds import command
from csms.jobs.kinds.command import Wanted
from csms.ocpp.variables import V16_COMPONENT
from csms.store import jobs

from .conftest import PRINCIPAL, Bench

V16, V201 = OcppVersion.V16, OcppVersion.V201
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


async def submit(bench: Bench, wanted: Wanted, version=V201):
    made = await bench.station("S")
    bench.stations.versions[made.id] = version
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


CREDENTIALS = f"ftp://user:{CANARY}@example.com/f"


@pytest.mark.parametrize(
    ("version", "wanted"),
    [
        (
            V201,
            Wanted(
                command="set_variables",
                params={
                    "variables": [
                        {"component": "WifiCtrlr", "variable": "Password1", "value": CANARY}
                    ]
                },
            ),
        ),
        (
            V16,
            Wanted(
                version=V16,
                action="ChangeConfiguration",
                payload={"key": "WifiPassword", "value": CANARY},
            ),
        ),
        (
            V16,
            Wanted(
                version=V16,
                action="DataTransfer",
                payload={"vendorId": "v", "data": f"AuthorizationKey={CANARY}"},
            ),
        ),
        (
            V201,
            Wanted(
                command="update_firmware",
                params={"location": CREDENTIALS, "retrieve_at": "2026-06-01T00:00:00Z"},
            ),
        ),
        (
            V16,
            Wanted(
                command="get_log",
                params={"log_type": "DiagnosticsLog", "location": CREDENTIALS},
            ),
        ),
    ],
)
async def test_whatever_holds_a_password_is_sealed_and_struck_from_the_error(
    bench: Bench, version, wanted
):
    _, job = await submit(bench, wanted, version)
    (sent,) = await bench.stations.delivered(1)
    assert CANARY in str(sent.payload)
    sent.answer.set_exception(CallRefused("NotSupported", f"cannot do {CANARY}"))
    item = await bench.engine.settled(job.id, timeout_s=10)
    assert "NotSupported: cannot do ***" == item.message
    assert CANARY not in await everything(bench)
    shown = await bench.db.read(lambda tx: jobs.get(tx, job.id))
    assert "***" in str(shown.params)


async def test_the_answers_of_an_order_in_many_calls_lose_the_password_of_each(bench: Bench):
    variables = [
        {"component": V16_COMPONENT, "variable": f"Password{number}", "value": f"{CANARY}-{number}"}
        for number in (1, 2)
    ]
    wanted = Wanted(command="set_variables", params={"variables": variables})
    bench.stations.automatic = lambda call: {"status": "Accepted", "echo": f"{CANARY}-1"}
    _, job = await submit(bench, wanted, V16)
    item = await bench.engine.settled(job.id, timeout_s=10)
    assert ItemState.SUCCEEDED == item.state
    assert 2 == len(bench.stations.calls)
    assert CANARY not in await everything(bench)


async def test_a_password_that_is_asked_for_is_not_kept_with_the_answer(bench: Bench):
    wanted = Wanted(version=V16, action="GetConfiguration", payload={})
    pair = {"key": "AuthorizationKey", "readonly": False, "value": CANARY}
    bench.stations.automatic = lambda call: {"configurationKey": [pair]}
    _, job = await submit(bench, wanted, V16)
    item = await bench.engine.settled(job.id, timeout_s=10)
    assert {"configurationKey": [{**pair, "value": "***"}]} == item.response
    assert CANARY not in await everything(bench)


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
