"""The energy of stations that have registers of single phases only."""

from __future__ import annotations

import pytest

from csms.domain.transactions import TransactionFlag
from csms.domain.versions import OcppVersion
from tests.ocpp.actions.test_transaction_event import event, find, send


@pytest.fixture
async def station(connect):
    return await connect("GARAGE-1", OcppVersion.V201)


VARY = {TransactionFlag.PHASES_VARY}


@pytest.mark.parametrize(
    ("shown", "energy", "flags"),
    [
        (({"L1": 1000}, {"L1": 1400}, {"L1": 1700}), 700_000, set()),
        (({"L1-N": 1000}, {}, {"L1": 1700}), 700_000, set()),
        (({"L1": 10, "L2": 20}, {}, {"L1": 110, "L2": 220}), 300_000, set()),
        (({"L1": 10, "L2": 20, "L3": 30}, {}, {"L1": 20, "L2": 40, "L3": 60}), 60_000, set()),
        # The neutral conductor counts nothing.
        (({"L1": 10, "N": 20}, {}, {"L1": 110, "N": 20}), 100_000, set()),
        # Sums of different phases cannot be subtracted.
        (({"L1": 10}, {"L2": 10}, {"L1": 110}), None, VARY),
        (({"L1": 10}, {"L1": 10, "L2": 9}, {"L1": 110, "L2": 22}), None, VARY),
        (({"L1": 10}, {}, {"L1": 20, "L2": 40, "L3": 60}), None, set()),
        # All phases go before some, whichever come first.
        (({"": 10}, {"L1": 500}, {"": 110}), 100_000, set()),
        (({"L1": 10}, {"": 500}, {"": 600}), 100_000, set()),
        (({"L1": 10}, {"L2": 10}, {"": 600}), None, set()),
    ],
)
async def test_registers_of_phases_count_while_they_are_of_the_same(station, shown, energy, flags):
    messages = []
    for number, registers in enumerate(shown):
        kind = ("Started", "Updated", "Ended")[number]
        samples = [
            {"value": value, **({"phase": phase} if phase else {})}
            for phase, value in registers.items()
        ]
        meter_value = [{"timestamp": "2026-05-01T10:00:00Z", "sampledValue": samples}]
        messages.append({**event(kind, number, number, evse=1), "meterValue": meter_value})
    await send(station, *messages)
    found = await find(station)
    assert (found.energy_mwh, found.flags) == (energy, flags)


async def test_a_register_of_one_phase_is_not_all_while_others_carry_something(station):
    for number, kind in enumerate(("Started", "Ended")):
        samples = [
            {"value": 1000 * number, "phase": "L1"},
            {"value": 7.2, "phase": "L2", "measurand": "Current.Import"},
        ]
        meter_value = [{"timestamp": "2026-05-01T10:00:00Z", "sampledValue": samples}]
        await send(station, {**event(kind, number, number, evse=1), "meterValue": meter_value})
    assert (await find(station)).energy_mwh is None
