"""The list of commands says what they take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

from csms.errors import Invalid
from csms.ocpp.commands import COMMANDS
from csms.ocpp.commands import params as parameters
from tests.api.v1.scene import items

if TYPE_CHECKING:
    from tests.api.conftest import Api

PATH = "/api/v1/actions"


async def test_every_command_is_listed_with_a_valid_schema(api: Api) -> None:
    listed = await items(api, PATH, role="viewer")
    assert [one["command"] for one in listed] == sorted(COMMANDS)
    for one in listed:
        Draft202012Validator.check_schema(one["params"])
        assert one["summary"]


async def test_what_a_command_is_in_each_version(api: Api) -> None:
    listed = {one["command"]: one for one in await items(api, PATH)}
    assert listed["get_variables"]["actions"] == {
        "1.6": "GetConfiguration",
        "2.0.1": "GetVariables",
        "2.1": "GetVariables",
    }
    assert (listed["reset"]["command_class"], listed["reset"]["one_station"]) == ("C", False)
    assert listed["request_stop_transaction"]["one_station"]
    assert listed["send_local_list"]["one_station"]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("reset", {"type": "immediate"}),
        ("reset", {"type": "now"}),
        ("reset", {"type": "immediate", "x": 1}),
        ("reset", {}),
        ("reset", {"type": "immediate", "evse_id": 0}),
        ("set_variables", {"variables": [{"variable": "HeartbeatInterval", "value": "60"}]}),
        ("set_variables", {"variables": [{"variable": "HeartbeatInterval", "colour": "red"}]}),
        ("clear_cache", {}),
    ],
)
async def test_the_schema_agrees_with_what_is_accepted(
    api: Api, name: str, values: dict[str, object]
) -> None:
    (shown,) = [one for one in await items(api, PATH) if one["command"] == name]
    try:
        parameters.parse(COMMANDS[name].params, values)
    except Invalid:
        accepted = False
    else:
        accepted = True
    assert Draft202012Validator(shown["params"]).is_valid(values) == accepted


async def test_it_can_be_polled(api: Api) -> None:
    response = await api.get(PATH)
    again = await api.get(PATH, headers={"If-None-Match": response.headers["ETag"]})
    assert again.status == 304
    assert (await api.get(PATH, role=None)).status == 401
