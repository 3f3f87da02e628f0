"""GetVariables and SetVariables: a result for each variable makes one answer."""

from __future__ import annotations

import pytest

from csms.ocpp.commands import COMMANDS


def result(word, variable="Foo", component="TxCtrlr"):
    return {
        "attributeStatus": word,
        "component": {"name": component},
        "variable": {"name": variable},
    }


def answer(name, *results):
    field = "getVariableResult" if name == "get_variables" else "setVariableResult"
    payload = {field: list(results)}
    read = COMMANDS[name].read(payload)
    assert payload == read.payload
    return read.accepted, read.status, read.detail


@pytest.mark.parametrize("name", ["get_variables", "set_variables"])
def test_all_accepted_is_accepted(name):
    assert (True, "Accepted", None) == answer(name, result("Accepted"), result("Accepted"))


@pytest.mark.parametrize("name", ["get_variables", "set_variables"])
def test_one_refused_is_a_refusal_that_names_it(name):
    expected = (False, "UnknownVariable", "the station answered UnknownVariable for TxCtrlr.Foo")
    assert expected == answer(name, result("Accepted", "Bar"), result("UnknownVariable"))


def test_a_value_that_needs_a_reboot_is_accepted_and_says_so():
    read = answer("set_variables", result("Accepted"), result("RebootRequired"))
    assert (True, "RebootRequired", None) == read


def test_many_refusals_are_told_in_short():
    _, _, detail = answer("set_variables", *[result("Rejected", f"V{n}") for n in range(8)])
    assert detail.endswith("Rejected for TxCtrlr.V4, and 3 more")


def test_a_flawed_result_is_a_refusal():
    refused = (False, None, "the station answered nothing for ?.?")
    assert refused == answer("get_variables", {"component": 1, "variable": []})


def test_the_one_status_of_1_6_is_read_as_ever():
    assert COMMANDS["set_variables"].read({"status": "RebootRequired"}).accepted
    assert not COMMANDS["set_variables"].read({"status": "NotSupported"}).accepted
