"""Chargers put in service, taken out of it, and restarted: one, or those of a location."""

from __future__ import annotations

from csms.api.chargers_dialect.queued import Order, send, send_one
from csms.api.chargers_dialect.targets import SomeChargers, at_location, one_charger
from csms.api.routing import Call, Reply

_START = Order("start-charger", "change_availability", {"operational_status": "Operative"})
_STOP = Order("stop-charger", "change_availability", {"operational_status": "Inoperative"})
_RESET = Order("reset-charger", "reset", {})


async def start_charger(call: Call[None, None]) -> Reply:
    """POST /ocpp/chargers/{charger_id}/start-charger: in service from now on."""
    return await _one(call, _START)


async def stop_charger(call: Call[None, None]) -> Reply:
    """POST /ocpp/chargers/{charger_id}/stop-charger: out of service, once nobody charges."""
    return await _one(call, _STOP)


async def reset_charger(call: Call[None, None]) -> Reply:
    """POST /ocpp/chargers/{charger_id}/reset-charger."""
    return await _one(call, _RESET)


async def start_chargers(call: Call[SomeChargers | None, None]) -> Reply:
    """POST /ocpp/locations/{location_id}/chargers/start-chargers."""
    return await _some(call, _START)


async def stop_chargers(call: Call[SomeChargers | None, None]) -> Reply:
    """POST /ocpp/locations/{location_id}/chargers/stop-chargers."""
    return await _some(call, _STOP)


async def reset_chargers(call: Call[SomeChargers | None, None]) -> Reply:
    """POST /ocpp/locations/{location_id}/chargers/reset-chargers."""
    return await _some(call, _RESET)


async def _one(call: Call[None, None], order: Order) -> Reply:
    return await send_one(call, await one_charger(call, call.path["charger_id"]), order)


async def _some(call: Call[SomeChargers | None, None], order: Order) -> Reply:
    charger_ids = None if call.body is None else call.body.charger_ids
    return await send(call, await at_location(call, call.path["location_id"], charger_ids), order)
