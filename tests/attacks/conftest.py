from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attacks.witness import Attacked


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    """A real server as in production, which lets in whom it knows and nobody else."""
    folder: Path = tmp_path_factory.mktemp("attacked")
    made = Attacked(
        folder,
        dev=False,
        CSMS_LOG__LEVEL="warning",
        CSMS_ONBOARDING__MODE="closed",
        CSMS_OCPP__PING_INTERVAL_S="1",
        CSMS_OCPP__PONG_TIMEOUT_S="3",
    )
    made.start()
    yield made
    assert made.stop() == 0, made.log.read_text()[-2000:]


@pytest.fixture(scope="package")
def hurried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    """The same, and stations may send as much as they can: for what is about their frames."""
    made = Attacked(
        tmp_path_factory.mktemp("hurried"),
        dev=False,
        CSMS_LOG__LEVEL="warning",
        CSMS_ONBOARDING__MODE="closed",
        CSMS_OCPP__MESSAGES_PER_S="10000",
        CSMS_OCPP__MESSAGES_BURST="100000",
        CSMS_OCPP__HANDSHAKE_TIMEOUT_S="2",
    )
    made.start()
    yield made
    assert made.stop() == 0, made.log.read_text()[-2000:]
