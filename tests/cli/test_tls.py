from __future__ import annotations

import ipaddress
import stat
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from csms.ocpp import tls
from csms.ocpp.tls import TlsFiles
from tests.cli.conftest import Outcome

Csms = Callable[..., Outcome]


def files_of(outcome: Outcome) -> TlsFiles:
    """The printed settings, as a server reads them."""
    given = tomllib.loads(outcome.out)["tls"]
    return TlsFiles(
        tuple(map(Path, given["certificates"])),
        tuple(map(Path, given["keys"])),
        Path(given["client_ca"]),
    )


def verify(files: TlsFiles, host: str | ipaddress.IPv4Address) -> None:
    assert files.client_ca is not None
    root = x509.load_pem_x509_certificate(files.client_ca.read_bytes())
    named = x509.DNSName(host) if isinstance(host, str) else x509.IPAddress(host)
    verifier = PolicyBuilder().store(Store([root])).build_server_verifier(named)
    for path in files.certificates:
        verifier.verify(x509.load_pem_x509_certificate(path.read_bytes()), [])


def test_the_settings_that_are_printed_work(csms: Csms, tmp_path: Path) -> None:
    made = csms(
        *("tls", "init", "--data-dir", tmp_path),
        *("--host", "csms.example.com", "--host", "192.0.2.4"),
    )
    assert 0 == made.code
    files = files_of(made)
    assert tls.load(files).by_certificate is not None
    verify(files, "csms.example.com")
    verify(files, ipaddress.IPv4Address("192.0.2.4"))
    with pytest.raises(VerificationError):
        verify(files, "other.example.com")


def test_the_files_are_for_their_owner_only(csms: Csms, tmp_path: Path) -> None:
    csms("tls", "init", "--data-dir", tmp_path)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "tls").iterdir()}
    assert {0o600} == modes


def test_again_makes_new_certificates_of_the_same_authority(csms: Csms, tmp_path: Path) -> None:
    files = files_of(csms("tls", "init", "--data-dir", tmp_path, "--host", "a.example.com"))
    before = [path.read_bytes() for path in files.paths]
    files_of(csms("tls", "init", "--data-dir", tmp_path, "--host", "b.example.com"))
    assert files.client_ca is not None
    assert before[-1] == files.client_ca.read_bytes()
    assert not set(before[:-1]) & {path.read_bytes() for path in files.paths}
    verify(files, "b.example.com")


def test_what_is_no_host_is_refused_in_one_line(csms: Csms, tmp_path: Path) -> None:
    outcome = csms("tls", "init", "--data-dir", tmp_path, "--host", "no..host")
    assert (1, "csms: 'no..host' is no name of a host\n") == (outcome.code, outcome.err)


def test_an_authority_that_cannot_be_read_is_not_replaced(csms: Csms, tmp_path: Path) -> None:
    csms("tls", "init", "--data-dir", tmp_path)
    (tmp_path / "tls" / "ca.key").write_text("broken")
    outcome = csms("tls", "init", "--data-dir", tmp_path)
    assert (1, "csms: the authority's files cannot be read\n") == (outcome.code, outcome.err)
    assert "broken" == (tmp_path / "tls" / "ca.key").read_text()
