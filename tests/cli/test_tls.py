from __future__ import annotations

import io
import ipaddress
import stat
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from csms.domain.certificates import read_chain, read_signing_request
from csms.domain.client_certificates import read_client_certificate
from csms.ocpp import tls
from csms.ocpp.tls import TlsFiles
from tests.certificates import csr, usage
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


def verify(files: TlsFiles, host: str | ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
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
    where = ("tls", "init", "--data-dir", tmp_path, "--host", "b.example.com")
    refused = csms(*where)
    assert (2, "") == (refused.code, refused.out)
    assert "--replace" in refused.err
    assert before == [path.read_bytes() for path in files.paths]
    files_of(csms(*where, "--replace"))
    assert files.client_ca is not None
    assert before[-1] == files.client_ca.read_bytes()
    assert not set(before[:-1]) & {path.read_bytes() for path in files.paths}
    verify(files, "b.example.com")


# ---- stations --------------------------------------------------------------------------------


def give(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


@pytest.mark.parametrize("kind", ["ec", "rsa 2048"])
def test_a_certificate_that_it_signs_opens_the_door(
    csms: Csms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    files = files_of(csms("tls", "init", "--data-dir", tmp_path))
    asked = csr(kind=kind, dns=("csms.example.com",), wants=usage(key_encipherment=True))
    give(monkeypatch, asked)
    signed = csms("tls", "sign", "--data-dir", tmp_path)
    made = x509.load_pem_x509_certificate(signed.out.encode())
    assert files.client_ca is not None
    root = x509.load_pem_x509_certificate(files.client_ca.read_bytes())
    made.verify_directly_issued_by(root)
    read = read_client_certificate(made.public_bytes(Encoding.DER))
    assert (("GARAGE-1",), ("Garage",), True) == (
        read.common_names,
        read.organizations,
        read.is_for_clients,
    )
    assert read_signing_request(asked).public_key == read_chain(signed.out).public_key
    # What else it asked for it did not get.
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    with pytest.raises(x509.ExtensionNotFound):
        made.extensions.get_extension_for_class(x509.SubjectAlternativeName)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("nonsense", "the CSR cannot be read"),
        (csr(kind="ed25519"), "neither an RSA nor an EC key"),
        (csr(wants=usage(key_cert_sign=True)), "signs others"),
    ],
)
def test_what_it_does_not_sign(csms: Csms, tmp_path: Path, given: str, reason: str) -> None:
    csms("tls", "init", "--data-dir", tmp_path)
    file = tmp_path / "station.csr"
    file.write_text(given)
    outcome = csms("tls", "sign", file, "--data-dir", tmp_path)
    assert (1, "") == (outcome.code, outcome.out)
    assert reason in outcome.err


def test_it_signs_for_nothing_but_stations(
    csms: Csms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    csms("tls", "init", "--data-dir", tmp_path)
    monkeypatch.setenv("OCPP_CERTIFICATE_TYPE", "V2GCertificate")
    outcome = csms("tls", "sign", "--data-dir", tmp_path)
    assert (1, "csms: this authority signs no V2GCertificate\n") == (outcome.code, outcome.err)


def test_without_an_authority_nothing_is_signed(csms: Csms, tmp_path: Path) -> None:
    outcome = csms("tls", "sign", "--data-dir", tmp_path)
    assert 1 == outcome.code
    assert "csms tls init" in outcome.err


def test_it_says_how_stations_get_the_root(csms: Csms, tmp_path: Path) -> None:
    said = csms("tls", "init", "--data-dir", tmp_path).err
    assert str(tmp_path / "tls" / "ca.pem") in said
    assert "install_certificate" in said


@pytest.mark.parametrize("host", ["", "no..host", "https://csms.example.com", "10.0.0.0/8"])
def test_what_is_no_host_is_refused_in_one_line(csms: Csms, tmp_path: Path, host: str) -> None:
    outcome = csms("tls", "init", "--data-dir", tmp_path, "--host", "a.example", "--host", host)
    assert (2, 1) == (outcome.code, outcome.err.count("\n"))
    assert f"csms: --host: {host!r} is neither a host name nor" in outcome.err
    assert not (tmp_path / "tls").exists()


def test_a_machine_whose_name_nobody_can_dial_gets_a_certificate_for_itself(
    csms: Csms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.getfqdn", lambda: "a b")
    assert "for localhost, 127.0.0.1\n" in csms("tls", "init", "--data-dir", tmp_path).err


def test_brackets_around_an_address_are_not_part_of_it(csms: Csms, tmp_path: Path) -> None:
    files = files_of(csms("tls", "init", "--data-dir", tmp_path, "--host", "[2001:db8::7]"))
    verify(files, ipaddress.IPv6Address("2001:db8::7"))


def test_an_authority_that_cannot_be_read_is_not_replaced(csms: Csms, tmp_path: Path) -> None:
    csms("tls", "init", "--data-dir", tmp_path)
    (tmp_path / "tls" / "ca.key").write_text("broken")
    outcome = csms("tls", "init", "--data-dir", tmp_path, "--replace")
    assert (1, "csms: the authority's files cannot be read\n") == (outcome.code, outcome.err)
    assert "broken" == (tmp_path / "tls" / "ca.key").read_text()
