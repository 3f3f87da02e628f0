"""Virtual stations that offer permessage-deflate, against an independent library and our server."""

from __future__ import annotations

from typing import Any

import pytest

from csms.domain.versions import OcppVersion
from csms.fleet.backoff import Backoff
from csms.fleet.catalog import load
from csms.fleet.manager import Fleet
from csms.fleet.runner import RunOptions, specs_of
from csms.fleet.spec import StationSpec
from tests.fleet.test_independent_csms import DEADLINE_S, central_system
from tests.fleet.test_independent_csms_v2x import LIBRARIES, system_class
from tests.ocpp.conftest import Server, server, start

V16, V201, V21 = OcppVersion.V16, OcppVersion.V201, OcppVersion.V21
__all__ = ["server", "start"]


async def booted(spec: StationSpec) -> None:
    async with Fleet(backoff=Backoff(first_s=0.05, cap_s=0.2)) as fleet:
        fleet.start(spec)
        assert await fleet.wait_booted(spec.identity, DEADLINE_S)


@pytest.mark.parametrize("version", LIBRARIES)
@pytest.mark.parametrize("offered", [False, True])
async def test_a_station_that_offers_it_speaks_it(version: OcppVersion, offered: bool) -> None:
    kind = system_class(LIBRARIES[version])
    async with central_system(kind, version.subprotocol) as (url, heard):
        await booted(StationSpec("CS1", url, version, compression=offered))
        (system,) = heard.systems
        assert offered == bool(system._connection.protocol.extensions)


@pytest.mark.parametrize(("version", "is_agreed"), [(V16, False), (V201, True), (V21, True)])
async def test_our_own_ends_agree(
    server: Server, monkeypatch: pytest.MonkeyPatch, version: OcppVersion, is_agreed: bool
) -> None:
    station, password = await server.register("CS1")
    seen: list[Any] = []
    opened = server.hub.open

    def watched(found: Any, socket: Any, *args: Any, **more: Any) -> Any:
        seen.append(socket._deflate)
        return opened(found, socket, *args, **more)

    monkeypatch.setattr(server.hub, "open", watched)
    url = server.url("/ocpp", "ws")
    await booted(StationSpec("CS1", url, version, password.encode(), compression=True))
    assert [is_agreed] == [terms is not None for terms in seen]
    rows = await server.log_rows(station.id)
    assert "BootNotification" in {row.action for row in rows}


def test_a_fleet_is_told_to_offer_it() -> None:
    for wanted in (False, True):
        (spec,) = specs_of(RunOptions(url="ws://x", stations=1, compression=wanted), load())
        assert wanted is spec.compression
