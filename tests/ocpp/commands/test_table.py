"""The table of commands and the checks every order passes."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil

import pytest

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.errors import Invalid, NotSupportedByVersion
from csms.ocpp import commands, directions, schemas
from csms.ocpp.commands.command import Command, Order

V16 = OcppVersion.V16


def modules_with_a_command() -> dict[str, Command]:
    found = {}
    for module in pkgutil.iter_modules(commands.__path__):
        loaded = importlib.import_module(f"{commands.__name__}.{module.name}")
        if hasattr(loaded, "COMMAND"):
            found[module.name] = loaded.COMMAND
    return found


def test_every_file_with_a_command_is_in_the_table_under_its_own_name():
    assert modules_with_a_command() == commands.COMMANDS


def test_every_command_names_an_action_that_the_schemas_know_for_each_version_it_encodes():
    for command in commands.COMMANDS.values():
        assert command.actions.keys() == command.encode.keys()
        for version, action in command.actions.items():
            assert schemas.knows(version, action)
            meant = commands.by_action(version, action)
            assert meant is not None
            assert (meant is command) is not command.borrows_actions


def test_every_parameter_is_described():
    for command in commands.COMMANDS.values():
        for field in dataclasses.fields(command.params):
            assert field.metadata.get("description"), f"{command.name}.{field.name}"


def test_a_raw_action_goes_out_as_given():
    order = commands.raw(V16, "GetLocalListVersion", {})
    assert order == Order("GetLocalListVersion", {})


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("GetLocalListVersion", CommandClass.A),
        ("GetDiagnostics", CommandClass.A),
        ("UpdateFirmware", CommandClass.C),
        ("ReserveNow", CommandClass.A),
        ("Reset", CommandClass.C),
        ("ChangeConfiguration", CommandClass.A),
        ("RemoteStopTransaction", CommandClass.B),
    ],
)
def test_an_action_that_we_know_nothing_about_is_never_repeated(action, expected):
    assert commands.for_action(V16, action).class_of({}) is expected


def test_an_unknown_action_is_refused():
    with pytest.raises(Invalid) as refusal:
        commands.raw(V16, "Explode", {})
    assert refusal.value.code == "unknown_action"


@pytest.mark.parametrize("action", ["Heartbeat", "StartTransaction", "SignCertificate"])
def test_what_stations_send_is_not_sent_to_them(action):
    with pytest.raises(Invalid) as refusal:
        commands.check(OcppVersion.V16, action, {})
    assert refusal.value.code == "unknown_action"


def test_the_schema_refuses_with_the_path_into_the_payload():
    with pytest.raises(Invalid) as refusal:
        commands.check(OcppVersion.V16, "Reset", {"type": "Medium"})
    assert refusal.value.loc == ("type",)


def test_a_payload_with_a_surplus_field_is_refused():
    with pytest.raises(Invalid):
        commands.check(OcppVersion.V16, "ClearCache", {"now": True})


@pytest.mark.parametrize("key", ["AuthorizationKey", "authorizationkey", " AUTHORIZATIONKEY "])
def test_no_raw_action_writes_a_password(key):
    with pytest.raises(Invalid) as refusal:
        commands.raw(V16, "ChangeConfiguration", {"key": key, "value": "x" * 20})
    assert refusal.value.code == "use_credentials_rotate"
    assert refusal.value.loc == ("key",)


@pytest.mark.parametrize("name", ["BasicAuthPassword", "basicauthpassword"])
def test_no_raw_action_of_2x_writes_a_password(name):
    item = {
        "attributeValue": "x" * 20,
        "component": {"name": "SecurityCtrlr"},
        "variable": {"name": name},
    }
    with pytest.raises(Invalid) as refusal:
        commands.raw(OcppVersion.V201, "SetVariables", {"setVariableData": [item]})
    assert refusal.value.code == "use_credentials_rotate"


@pytest.mark.parametrize(
    "variable",
    [
        {"component": "SecurityCtrlr", "variable": "BasicAuthPassword", "value": "x"},
        {"variable": "AuthorizationKey", "value": "x"},
    ],
)
def test_no_command_in_our_words_writes_a_password(variable):
    with pytest.raises(Invalid) as refusal:
        commands.typed(V16, "set_variables", {"variables": [variable]})
    assert refusal.value.code == "use_credentials_rotate"


def test_an_unknown_command_names_the_known_ones():
    with pytest.raises(Invalid, match="request_start_transaction"):
        commands.typed(V16, "explode", {})


def test_a_version_without_an_encoding_is_refused():
    with pytest.raises(NotSupportedByVersion, match=r"cost_updated is not supported by OCPP 1\.6"):
        commands.typed(V16, "cost_updated", {"transaction_id": "t", "total_cost": 1})


@pytest.mark.parametrize("version", list(OcppVersion))
def test_every_action_that_goes_to_stations_can_be_sent_raw(version):
    for action in schemas.actions(version):
        if not directions.goes_to_station(version, action):
            continue
        try:
            order = commands.raw(version, action, {})
        except Invalid as refusal:
            assert refusal.kind == "schema", action
        else:
            assert order == Order(action, {})
