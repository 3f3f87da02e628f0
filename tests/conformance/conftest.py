"""One server process for all cases of a test run."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator

import pytest

from tests.acceptance.processes import Server
from tests.conformance import provider, signer
from tests.conformance.csms import Csms


@pytest.fixture(scope="session")
def csms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Csms]:
    server = Server(
        tmp_path_factory.mktemp("conformance"),
        dev=False,
        CSMS_LOG__LEVEL="warning",
        CSMS_PROGRAMS__SIGNER=shlex.join([sys.executable, signer.__file__]),
        CSMS_PROGRAMS__PROVIDER=shlex.join([sys.executable, provider.__file__]),
    )
    server.start()
    yield Csms(server)
    assert server.stop() == 0
