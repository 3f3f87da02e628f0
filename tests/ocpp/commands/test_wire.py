from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_type_hints

import orjson
import pytest

from csms.domain.versions import OcppVersion
from csms.ocpp.commands import COMMANDS, wire

V21 = OcppVersion.V21


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("limit", "limit"),
        ("evse_id", "evseId"),
        ("limit_l2", "limit_L2"),
        ("setpoint_reactive_l3", "setpointReactive_L3"),
        ("min_energy_wh", "minEnergy"),
        ("max_charging_time_s", "maxChargingTime"),
        ("price_kwh", "priceKwh"),
        ("v_ref", "vRef"),
        ("autonomous_v_ref_enable", "autonomousVRefEnable"),
        ("hv10_min_mean_value", "hv10MinMeanValue"),
        ("fixed_pf_absorb", "fixedPFAbsorb"),
    ],
)
def test_a_name_of_ours_as_ocpp_spells_it(ours, theirs):
    assert wire.name_of(ours) == theirs


def fields_of_schema(schema: Any, node: Any, path: str) -> set[str]:
    """Every field of a schema, with the way to it."""
    found = set()
    if "$ref" in node:
        node = schema["definitions"][node["$ref"].rpartition("/")[2]]
    if "items" in node:
        return fields_of_schema(schema, node["items"], path)
    for name, inner in node.get("properties", {}).items():
        if name != "customData":
            found.add(f"{path}{name}")
            found |= fields_of_schema(schema, inner, f"{path}{name}.")
    return found


def fields_of_params(kind: Any, path: str) -> set[str]:
    """Every field of the parameters, in the spelling of the wire."""
    found = set()
    for field in fields(kind):
        name = f"{path}{wire.name_of(field.name)}"
        found.add(name)
        for inner in dataclasses_in(get_type_hints(kind)[field.name]):
            found |= fields_of_params(inner, f"{name}.")
    return found


def dataclasses_in(hint: Any) -> list[Any]:
    if is_dataclass(hint):
        return [hint]
    return [inner for arg in get_args(hint) for inner in dataclasses_in(arg)]


ENCODED_AS_THEY_ARE = sorted(
    name
    for name, command in COMMANDS.items()
    if command.encode.get(V21) is not None
    and command.encode[V21].__qualname__ == wire.encoder("X").__qualname__
)


def test_most_commands_of_2_1_are_encoded_as_they_are():
    assert len(ENCODED_AS_THEY_ARE) >= 9


@pytest.mark.parametrize("name", [*ENCODED_AS_THEY_ARE, "set_default_tariff"])
def test_the_parameters_have_every_field_of_the_schema_and_no_other(name):
    from importlib import resources

    command = COMMANDS[name]
    file = resources.files("ocpp") / "v21" / "schemas" / f"{command.actions[V21]}Request.json"
    schema = orjson.loads(file.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    assert fields_of_params(command.params, "") == fields_of_schema(schema, schema, "")
