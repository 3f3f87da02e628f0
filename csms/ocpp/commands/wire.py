"""A command's parameters as a payload of OCPP 2.x: the same words in camelCase, without units."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from csms.domain.timestamps import format_timestamp
from csms.ocpp.commands.command import Encode, Order
from csms.ocpp.frames import JsonObject

# Our names carry their unit where OCPP has it in the text.
_UNITS = ("_s", "_w", "_wh", "_a", "_v", "_hz", "_percent")
_IRREGULAR = {"fixed_pf_absorb": "fixedPFAbsorb", "fixed_pf_inject": "fixedPFInject"}


def encoder(action: str) -> Encode:
    """The encoding of a command whose parameters are the payload."""

    def encode(params: Any) -> Order:
        return Order(action, payload(params))

    return encode


def payload(params: Any) -> JsonObject:
    """A dataclass as OCPP spells it; what is None is left out."""
    return {
        name_of(field.name): _value(value)
        for field in fields(params)
        if (value := getattr(params, field.name)) is not None
    }


def name_of(name: str) -> str:
    """`min_energy_wh` is minEnergy, `limit_l2` is limit_L2."""
    if name in _IRREGULAR:
        return _IRREGULAR[name]
    for unit in _UNITS:
        name = name.removesuffix(unit)
    stem, phase = (name[:-3], name[-3:].upper()) if name.endswith(("_l2", "_l3")) else (name, "")
    first, *rest = stem.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest) + phase


def _value(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list):
        return [_value(one) for one in value]
    if isinstance(value, datetime):
        return format_timestamp(value)
    return payload(value) if is_dataclass(value) else value
