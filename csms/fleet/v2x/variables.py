"""The device model of a virtual station of OCPP 2.0.1 or 2.1: what it has, reads and writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from csms.domain.timestamps import format_timestamp
from csms.fleet import duties
from csms.fleet.configuration import (
    KNOBS,
    MEASURANDS,
    REPORT_ITEMS,
    Access,
    Kind,
    Knob,
)
from csms.fleet.connector import Connector
from csms.fleet.device import Device
from csms.fleet.duties import status
from csms.ocpp.frames import JsonObject

_READ_ONLY = "ReadOnly"
_MUTABILITY: Mapping[Access, str] = MappingProxyType(
    {
        Access.READ_ONLY: _READ_ONLY,
        Access.READ_WRITE: "ReadWrite",
        Access.WRITE_ONLY: "WriteOnly",
        Access.AFTER_REBOOT: "ReadWrite",
    }
)
_DATA_TYPE: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.NUMBER: "integer",
        Kind.BOOLEAN: "boolean",
        Kind.MEASURANDS: "MemberList",
        Kind.PASSWORD: "string",
        Kind.TEXT: "string",
    }
)


Key = tuple[str, int | None, int | None, str, str | None]
"""What names a variable, its words folded: 2.x does not mind case in them."""


@dataclass(frozen=True, slots=True)
class Item:
    """One variable of one component."""

    component: str
    variable: str
    value: str
    instance: str | None = None
    evse_id: int | None = None
    connector_id: int | None = None
    knob: Knob | None = None
    """What it sets; None: it tells what is."""
    data_type: str = "string"

    @property
    def key(self) -> Key:
        """What names it."""
        return (
            self.component.casefold(),
            self.evse_id,
            self.connector_id,
            self.variable.casefold(),
            _folded(self.instance),
        )


def _folded(text: str | None) -> str | None:
    return None if text is None else text.casefold()


def _setting(knob: Knob, value: str) -> Item:
    assert knob.variable is not None
    component, name, instance = knob.variable
    return Item(component, name, value, instance, knob=knob, data_type=_DATA_TYPE[knob.kind])


_SETTINGS: Mapping[Key, Knob] = MappingProxyType(
    {_setting(knob, "").key: knob for knob in KNOBS if knob.variable is not None}
)


def items(device: Device) -> Iterable[Item]:
    """Every variable as it is now."""
    for knob in _SETTINGS.values():
        yield _setting(knob, device.configuration.text(knob))
    yield from _facts(device)


def _facts(device: Device) -> Iterable[Item]:
    """What nobody can set."""
    spec = device.spec
    yield Item("SecurityCtrlr", "Identity", spec.identity)
    length = str(len(device.local_list))
    yield Item("LocalAuthListCtrlr", "Entries", length, data_type="integer")
    yield Item("ClockCtrlr", "DateTime", _now(device), data_type="dateTime")
    yield Item("ChargingStation", "Model", spec.model)
    yield Item("ChargingStation", "VendorName", spec.vendor)
    yield Item("ChargingStation", "SerialNumber", spec.serial_number or spec.identity)
    yield Item("ChargingStation", "FirmwareVersion", device.firmware)
    available = "Available" if device.operative else "Unavailable"
    yield Item("ChargingStation", "AvailabilityState", available, data_type="OptionList")
    phases = str(spec.supply.phases)
    yield Item("ChargingStation", "SupplyPhases", phases, data_type="integer")
    for connector in device.connectors:
        yield from _evse(device, connector)


def _evse(device: Device, connector: Connector) -> Iterable[Item]:
    spec, number = device.spec, connector.id
    word = device.speech.status_word(connector.state)
    power = f"{spec.supply.max_power_w:.0f}"
    yield Item("EVSE", "AvailabilityState", word, evse_id=number, data_type="OptionList")
    yield Item("EVSE", "Power", power, evse_id=number, data_type="decimal")
    yield Item(
        "Connector",
        "AvailabilityState",
        word,
        evse_id=number,
        connector_id=1,
        data_type="OptionList",
    )
    yield Item("Connector", "ConnectorType", spec.connector_type, evse_id=number, connector_id=1)


# ---- reports -------------------------------------------------------------------------------------


def _get_base_report(device: Device, payload: JsonObject) -> JsonObject:
    base = payload["reportBase"]
    found = [item for item in items(device) if _belongs(item, base)]
    _report(device, payload["requestId"], found)
    return status("Accepted")


def _belongs(item: Item, base: str) -> bool:
    if base == "ConfigurationInventory":  # 2.0.1 B07.FR.07: what can be set
        return item.knob is not None and item.knob.access is not Access.READ_ONLY
    return base == "FullInventory" or item.variable == "AvailabilityState"


def _get_report(device: Device, payload: JsonObject) -> JsonObject:
    criteria = payload.get("componentCriteria")
    if criteria is not None and not {"Active", "Available", "Enabled"} & set(criteria):
        return status("EmptyResultSet")  # there are no problems
    wanted = payload.get("componentVariable")
    found = [
        item
        for item in items(device)
        if wanted is None or any(_is_wanted(item, one) for one in wanted)
    ]
    if not found:
        return status("EmptyResultSet")
    _report(device, payload["requestId"], found)
    return status("Accepted")


def _is_wanted(item: Item, wanted: JsonObject) -> bool:
    """2.0.1 B08: what is left out is open."""
    component, variable = wanted["component"], wanted.get("variable", {})
    evse = component.get("evse", {})
    pairs = (
        (component["name"], item.component),
        (variable.get("name"), item.variable),
        (variable.get("instance"), item.instance),
        (evse.get("id"), item.evse_id),
        (evse.get("connectorId"), item.connector_id),
    )
    return all(asked is None or _alike(asked, has) for asked, has in pairs)


def _alike(asked: object, has: object) -> bool:
    if isinstance(asked, str) and isinstance(has, str):
        return asked.casefold() == has.casefold()
    return asked == has


def _report(device: Device, request_id: int, found: list[Item]) -> None:
    """NotifyReport in as many parts as it takes."""
    size = device.configuration.number(REPORT_ITEMS)
    parts = [found[start : start + size] for start in range(0, len(found), size)]
    for number, part in enumerate(parts):
        device.say(
            "NotifyReport",
            {
                "requestId": request_id,
                "generatedAt": _now(device),
                "seqNo": number,
                "tbc": number < len(parts) - 1,
                "reportData": [_report_data(item) for item in part],
            },
        )


def _report_data(item: Item) -> JsonObject:
    mutability = _READ_ONLY if item.knob is None else _MUTABILITY[item.knob.access]
    attribute: JsonObject = {"type": "Actual", "mutability": mutability, "persistent": True}
    if mutability != "WriteOnly":
        attribute["value"] = item.value
    characteristics: JsonObject = {"dataType": item.data_type, "supportsMonitoring": False}
    if item.data_type == "MemberList":
        characteristics["valuesList"] = ",".join(MEASURANDS)
    return {
        **_names(item),
        "variableAttribute": [attribute],
        "variableCharacteristics": characteristics,
    }


def _names(item: Item) -> JsonObject:
    component: JsonObject = {"name": item.component}
    if item.evse_id is not None:
        component["evse"] = {"id": item.evse_id}
        if item.connector_id is not None:
            component["evse"]["connectorId"] = item.connector_id
    variable = {"name": item.variable}
    if item.instance is not None:
        variable["instance"] = item.instance
    return {"component": component, "variable": variable}


# ---- reading and writing -------------------------------------------------------------------------


def _get_variables(device: Device, payload: JsonObject) -> JsonObject:
    results = [_read(device, wanted) for wanted in payload["getVariableData"]]
    return {"getVariableResult": results}


def _read(device: Device, wanted: JsonObject) -> JsonObject:
    word, item = _look_up(device, wanted)
    result = _result(wanted, word)
    if item is None:
        return result
    if item.knob is not None and item.knob.access is Access.WRITE_ONLY:
        result["attributeStatus"] = "Rejected"  # 2.0.1 B06.FR.09
    else:
        result["attributeValue"] = item.value
    return result


def _set_variables(device: Device, payload: JsonObject) -> JsonObject:
    results = [_write(device, wanted) for wanted in payload["setVariableData"]]
    return {"setVariableResult": results}


def _write(device: Device, wanted: JsonObject) -> JsonObject:
    word, item = _look_up(device, wanted)
    if item is None:
        return _result(wanted, word)
    if item.knob is None:
        return _result(wanted, "Rejected")
    change = duties.configure(device, item.knob, wanted["attributeValue"])
    return _result(wanted, change.value)


def _look_up(device: Device, wanted: JsonObject) -> tuple[str, Item | None]:
    """The word for it, and the variable when it is one that we have."""
    component, variable = wanted["component"], wanted["variable"]
    evse = component.get("evse", {})
    key: Key = (
        component["name"].casefold(),
        evse.get("id"),
        evse.get("connectorId"),
        variable["name"].casefold(),
        _folded(variable.get("instance")),
    )
    knob = _SETTINGS.get(key)
    if knob is not None:
        item = _setting(knob, device.configuration.text(knob))
    else:
        known = {item.key: item for item in items(device)}
        if key not in known:
            has_component = any(key[:3] == other[:3] for other in known)
            return ("UnknownVariable" if has_component else "UnknownComponent"), None
        item = known[key]
    if wanted.get("attributeType", "Actual") != "Actual":
        return "NotSupportedAttributeType", None
    return "Accepted", item


def _result(wanted: JsonObject, word: str) -> JsonObject:
    result = {
        "attributeStatus": word,
        "component": wanted["component"],
        "variable": wanted["variable"],
    }
    if "attributeType" in wanted:
        result["attributeType"] = wanted["attributeType"]
    return result


def _now(device: Device) -> str:
    return format_timestamp(device.clock.now())


ANSWERS: Mapping[str, Callable[[Device, JsonObject], JsonObject]] = MappingProxyType(
    {
        "GetBaseReport": _get_base_report,
        "GetReport": _get_report,
        "GetVariables": _get_variables,
        "SetVariables": _set_variables,
    }
)
