"""raise_security_profile: what goes out for each version, and what shows that it worked."""

from __future__ import annotations

import pytest

from csms.domain.device_model import VariableKey
from csms.domain.stations import NewStation
from csms.domain.versions import OcppVersion
from csms.errors import Invalid, NotSupportedByVersion
from csms.jobs.kinds import command
from csms.jobs.kinds.command import Wanted
from csms.ocpp import commands
from csms.ocpp.commands.command import EvidenceQuery
from csms.ocpp.commands.raise_security_profile import COMMAND, RaiseSecurityProfile
from csms.services import device_model
from csms.services import stations as service
from csms.store import stations

V16, V201, V21 = OcppVersion.V16, OcppVersion.V201, OcppVersion.V21
WANTED = {
    "security_profile": 2,
    "configuration_slot": 2,
    "ocpp_csms_url": "wss://csms.example.com/ocpp",
    "fallback_slots": [1],
}


def test_a_station_of_16_gets_one_key():
    order = commands.typed(V16, COMMAND.name, {"security_profile": 2})
    assert ("ChangeConfiguration", ()) == (order.action, order.then)
    assert {"key": "SecurityProfile", "value": "2"} == order.payload


@pytest.mark.parametrize("version", [V201, V21])
def test_a_station_of_2x_gets_the_profile_its_priority_and_a_reset(version):
    order = commands.typed(version, COMMAND.name, WANTED)
    priority, reset = order.then
    assert ["SetNetworkProfile", "SetVariables", "Reset"] == [
        one.action for one in (order, priority, reset)
    ]
    assert 2 == order.payload["configurationSlot"]
    assert 2 == order.payload["connectionData"]["securityProfile"]
    (written,) = priority.payload["setVariableData"]
    assert "NetworkConfigurationPriority" == written["variable"]["name"]
    assert "2,1" == written["attributeValue"]
    assert {"type": "OnIdle"} == reset.payload


@pytest.mark.parametrize("missing", ["configuration_slot", "ocpp_csms_url"])
def test_a_station_of_2x_must_be_told_slot_and_url(missing):
    params = {name: value for name, value in WANTED.items() if name != missing}
    with pytest.raises(NotSupportedByVersion, match="needs configuration_slot and ocpp_csms_url"):
        commands.typed(V201, COMMAND.name, params)


@pytest.mark.parametrize("profile", [0, 4])
def test_there_is_no_such_profile(profile):
    with pytest.raises(Invalid):
        commands.typed(V16, COMMAND.name, {"security_profile": profile})


@pytest.mark.parametrize(
    ("profile", "url"),
    [
        (2, "ws://csms.example.com/ocpp"),
        (3, "https://csms.example.com/ocpp"),
        (2, "wss://"),
        (2, "csms.example.com"),
        (2, "wss://csms.example.com:99999/"),
        (2, "wss://csms.example.com:0/"),
        (2, "wss://[::1/"),
        (2, "wss://user:word@csms.example.com/"),
        (2, "wss://csms.example.com/#there"),
        (2, "wss://csms.example.com/a b"),
        (1, "wss://csms.example.com/ocpp"),
    ],
)
@pytest.mark.parametrize("name", [COMMAND.name, "set_network_profile"])
def test_a_url_that_the_profile_cannot_use_is_refused(name, profile, url):
    params = {
        "security_profile": profile,
        "configuration_slot": 2,
        "ocpp_csms_url": url,
        "ocpp_interface": "Wired0",
    }
    with pytest.raises(Invalid) as refused:
        commands.typed(V201, name, params)
    assert refused.value.loc == ("ocpp_csms_url",)


@pytest.mark.parametrize("version", [V16, V201])
@pytest.mark.parametrize(("served", "fits"), [({1}, False), ({1, 3}, False), ({1, 2}, True)])
async def test_a_profile_by_which_nobody_can_come_in_is_refused(db, station, version, served, fits):
    wanted = Wanted(command=COMMAND.name, params=WANTED)

    def prepare(tx):
        return command.prepare(tx, station.id, version, wanted, served_profiles=served)

    if fits:
        await db.read(prepare)
        return
    with pytest.raises(Invalid, match="serves no security profile 2"):
        await db.read(prepare)


@pytest.fixture
async def station(db):
    return await db.write(lambda tx: stations.insert(tx, NewStation("S", security_profile=1)))


async def prepared(db, station, params, version=V201):
    assert COMMAND.prepare is not None
    fill = COMMAND.prepare
    return await db.read(lambda tx: fill(tx, station.id, version, params, ()))


@pytest.mark.parametrize("profile", [1, 2])
async def test_only_a_higher_profile_is_a_raise(db, station, profile):
    await db.write(lambda tx: service.came_with(tx, station.id, 2))
    with pytest.raises(Invalid, match="has 2 already"):
        await prepared(db, station, RaiseSecurityProfile(profile))


async def test_the_slots_that_the_station_uses_stay_its_fallback(db, station):
    key = VariableKey(component="OCPPCommCtrlr", variable="NetworkConfigurationPriority")
    await db.write(lambda tx: device_model.record_value(tx, station.id, key, "1, 0,x"))
    params = await prepared(db, station, RaiseSecurityProfile(2, 0, "wss://x"))
    assert [1, 0] == params.fallback_slots
    order = COMMAND.order(V201, params)
    assert "0,1" == order.then[0].payload["setVariableData"][0]["attributeValue"]


@pytest.mark.parametrize("version", [V16, V201])
async def test_a_connection_with_the_profile_is_evidence(db, station, version):
    params = RaiseSecurityProfile(2, 2, "wss://x")
    query = EvidenceQuery(
        station_id=station.id,
        epoch=1,
        connection_generation=1,
        intent_at=0,
        payload=COMMAND.order(version, params).payload,
        version=version,
    )
    find = COMMAND.evidence
    assert find is not None
    await db.write(lambda tx: tx.run("UPDATE stations SET last_connected_at = 1"))
    assert await db.read(lambda tx: find(tx, query)) is None
    await db.write(lambda tx: service.came_with(tx, station.id, 2))
    found = await db.read(lambda tx: find(tx, query))
    assert (found.what, found.inferred) == ("connection", False)
