"""One server process for all cases of a test run."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator

import pytest

from tests.acceptance.processes import Server, free_port
from tests.conformance import provider, signer
from tests.conformance.csms import Csms, Secure
from tests.pki import Authority


@pytest.fixture(scope="session")
def csms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Csms]:
    directory = tmp_path_factory.mktemp("conformance")
    secure = Secure(Authority(directory), free_port(), free_port())
    pairs = [secure.authority.server("rsa"), secure.authority.server("ec")]
    server = Server(
        directory,
        dev=False,
        also=[f"127.0.0.1:{secure.tls},tls,ocpp-only", f"127.0.0.1:{secure.mtls},mtls,ocpp-only"],
        CSMS_TLS__CERTIFICATES=",".join(str(pair.certificate) for pair in pairs),
        CSMS_TLS__KEYS=",".join(str(pair.key) for pair in pairs),
        CSMS_TLS__CLIENT_CA=str(secure.authority.file),
        CSMS_TLS__CLIENT_ORGANIZATIONS="Garage",
        CSMS_LOG__LEVEL="warning",
        CSMS_PROGRAMS__SIGNER=shlex.join([sys.executable, signer.__file__]),
        CSMS_PROGRAMS__PROVIDER=shlex.join([sys.executable, provider.__file__]),
    )
    server.start()
    yield Csms(server, secure)
    assert server.stop() == 0
