from __future__ import annotations

from pathlib import Path

import csms.ocpp.actions
from csms.domain.versions import OcppVersion
from csms.ocpp import schemas
from csms.ocpp.actions import HANDLERS


def test_every_file_of_the_folder_is_in_the_table():
    folder = Path(csms.ocpp.actions.__file__).parent
    files = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert {handler.__module__.rpartition(".")[2] for handler in HANDLERS.values()} == files


def test_every_handler_is_filed_under_its_own_action():
    for (version, action), handler in HANDLERS.items():
        module = handler.__module__.rpartition(".")[2]
        assert module.replace("_", "") == action.lower()
        assert handler.__name__ == {OcppVersion.V16: "on_v16"}.get(version, "on_v2x")


def test_every_action_of_the_table_exists_in_its_version():
    for version, action in HANDLERS:
        assert schemas.checker(version, action, "request") is not None
