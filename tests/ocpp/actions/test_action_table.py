from __future__ import annotations

from pathlib import Path

import csms.ocpp.actions
from csms.domain.versions import OcppVersion
from csms.ocpp import schemas
from csms.ocpp.actions import HANDLERS
from csms.ocpp.directions import FROM_STATION, goes_to_station

NAMES = {
    OcppVersion.V16: {"on_v16"},
    OcppVersion.V201: {"on_v2x"},
    OcppVersion.V21: {"on_v2x", "on_v21"},
}


def test_every_file_of_the_folder_is_in_the_table():
    folder = Path(csms.ocpp.actions.__file__).parent
    files = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert {handler.__module__.rpartition(".")[2] for handler in HANDLERS.values()} == files


def test_every_handler_is_filed_under_its_own_action():
    for (version, action), handler in HANDLERS.items():
        module = handler.__module__.rpartition(".")[2]
        assert module.replace("_", "") == action.lower()
        assert handler.__name__ in NAMES[version]


def test_every_action_that_a_station_sends_has_a_handler_and_no_other_has():
    expected = {(version, action) for version in OcppVersion for action in FROM_STATION[version]}
    assert expected == set(HANDLERS)


def test_every_action_of_a_version_has_a_sender():
    for version in OcppVersion:
        actions = set(schemas.actions(version))
        to_station = {action for action in actions if goes_to_station(version, action)}
        assert FROM_STATION[version] | to_station == actions
        assert FROM_STATION[version] & to_station == {"DataTransfer"}
