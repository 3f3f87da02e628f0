"""What happens at a virtual station without an order of the CSMS: cars, cards and faults."""

from __future__ import annotations

from csms.errors import Conflict
from csms.fleet.connector import Connector
from csms.fleet.device import Device
from csms.fleet.speech import Token
from csms.ocpp.frames import JsonObject


def plug_in(device: Device, connector_id: int | None) -> None:
    """A car comes and waits; raises Conflict when there is no room for it."""
    _free(device, connector_id).plug()


def present(device: Device, token: Token) -> None:
    """Somebody holds a card to the reader, and the station asks what it is worth."""
    device.speech.authorize(token, lambda _: None)


def start(
    device: Device,
    connector_id: int | None,
    token: Token,
    *,
    ends_after_s: float | None = None,
    ends_with_wh: float | None = None,
) -> None:
    """Somebody plugs in and presents a card; raises Conflict when there is no room."""
    connector = _free(device, connector_id)
    connector.start(token, wanted_s=ends_after_s, wanted_wh=ends_with_wh)


def demand(device: Device, connector_id: int | None, power_w: float) -> None:
    """The charging cars ask for so much from now on; raises Conflict when none charges."""
    asked = [connector.demand(power_w) for connector in _chosen(device, connector_id)]
    if not any(asked):
        raise Conflict("No car is charging")


def break_down(device: Device, connector_id: int | None, fault: str) -> Connector:
    """Something goes wrong at a connector, the first one when it is not said which."""
    connector = _chosen(device, connector_id)[0]
    connector.break_down(fault)
    return connector


def repair(device: Device, connector_id: int | None) -> tuple[Connector, str | None]:
    """All is well again at a connector; returns it and what was wrong."""
    connectors = _chosen(device, connector_id)
    connector = next((one for one in connectors if one.fault is not None), connectors[0])
    fault = connector.fault
    connector.repair()
    return connector, fault


def say(device: Device, action: str, payload: JsonObject) -> None:
    """The station sends a CALL, whatever it says."""
    device.say(action, payload)


def _chosen(device: Device, connector_id: int | None) -> list[Connector]:
    if connector_id is None:
        return device.connectors
    connector = device.connector(connector_id)
    if connector is None:
        raise Conflict(f"It has no connector {connector_id}")
    return [connector]


def _free(device: Device, connector_id: int | None) -> Connector:
    for connector in _chosen(device, connector_id):
        if connector.free:
            return connector
    raise Conflict("No connector is free")
