"""Whatever a station answers to an order: what the schema lets through can be read and settled."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from csms.domain.stations import NewStation
from csms.domain.versions import OcppVersion
from csms.ocpp import schemas
from csms.ocpp.commands import COMMANDS
from csms.ocpp.commands.command import Command
from csms.ocpp.commands.task_requests import open_story
from csms.store import stations
from csms.store.database import Database, Tx
from tests.ocpp.corpus.mutations import payload_cases
from tests.ocpp.corpus.payloads import full, least


def answers(version: OcppVersion, action: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Those that are not refused before anybody reads them."""
    for case in payload_cases(version, f"{action}Response"):
        answer = orjson.loads(case.data)
        found = schemas.violation(version, action, "response", answer)
        if found is None or found.is_surplus:
            yield case.name, answer


def settle(tx: Tx, station_id: int, version: OcppVersion, command: Command) -> Iterator[str]:
    """What cannot be read or settled; says `tried` of all else."""
    action = command.actions[version]
    requests = itertools.cycle([full(version, action), least(version, action)])
    for (name, answer), request in zip(answers(version, action), requests, strict=False):
        try:
            read = command.read_repeat(answer)
            if command.settled is not None:
                command.settled(tx, station_id, request, read)
            if command.starts is not None:
                open_story(tx, station_id, command.starts, request, read, asked_at=0)
        except Exception as error:
            yield f"{command.name}: {name}: {error!r}"
        else:
            yield "tried"


@pytest.mark.parametrize(
    "version",
    [
        OcppVersion.V16,
        pytest.param(OcppVersion.V201, marks=pytest.mark.campaign),
        pytest.param(OcppVersion.V21, marks=pytest.mark.campaign),
    ],
    ids=lambda version: version.value,
)
async def test_an_answer_that_its_schema_allows_is_read_and_settled(
    db: Database, version: OcppVersion
) -> None:
    def settle_all(tx: Tx) -> list[str]:
        station = stations.insert(tx, NewStation("S"))
        orders = [one for one in COMMANDS.values() if version in one.actions]
        return [said for one in orders for said in settle(tx, station.id, version, one)]

    said = await db.write(settle_all)
    assert [] == [one for one in said if one != "tried"]
    assert len(said) > 100
