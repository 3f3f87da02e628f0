"""A signing request on its way: the operator's program, the chain, the station's answer."""

from __future__ import annotations

import asyncio
import shlex
import sys

import pytest

from csms.domain.certificates import read_chain
from csms.domain.device_model import Attribute, VariableKey
from csms.jobs.signing import Signing
from csms.services import certificates
from csms.services.certificates import Asked
from csms.services.programs import Program
from csms.store import certificate_requests, jobs, variables
from tests.certificates import chain, csr


@pytest.fixture
def answer(tmp_path):
    """What the signer writes; it also keeps what it was given."""
    path = tmp_path / "answer"
    path.write_text(chain())
    return path


@pytest.fixture
def signer(tmp_path, answer):
    code = (
        "import os, sys\n"
        f"about = [os.environ['OCPP_STATION'], os.environ['OCPP_CERTIFICATE_TYPE']]\n"
        f"open({str(tmp_path / 'given')!r}, 'a').write(' '.join(about) + chr(10) + sys.stdin.read())\n"
        f"text = open({str(answer)!r}).read()\n"
        "sys.exit(text) if text.startswith('no ') else print(text)\n"
    )
    return Program(shlex.join([sys.executable, "-c", code]), timeout_s=20)


@pytest.fixture
async def signing(bench, signer):
    task = asyncio.create_task(
        Signing(db=bench.db, bus=bench.bus, engine=bench.engine, signer=signer).run()
    )
    yield task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def ask(bench, station, asked=None):
    asked = asked or Asked(csr(), "ChargingStationCertificate")
    refusal = await bench.db.write(
        lambda tx: certificates.request(tx, station.id, asked, signs=True)
    )
    assert refusal is None


async def newest(bench, station):
    return (await bench.db.read(lambda tx: certificate_requests.list_of_station(tx, station.id)))[0]


async def test_an_accepted_request_is_signed_and_its_chain_installed(bench, signing, tmp_path):
    station = await bench.station("GARAGE-1")
    bench.stations.automatic = lambda call: {"status": "Accepted"}
    await ask(bench, station)
    await bench.log.wait_for("certificate.installed")
    (call,) = bench.stations.calls
    assert call.action == "CertificateSigned"
    assert call.payload["certificateChain"] == chain()
    found = await newest(bench, station)
    assert (found.state.value, found.chain) == ("installed", chain())
    assert (tmp_path / "given").read_text() == (f"GARAGE-1 ChargingStationCertificate\n{csr()}")
    job = await bench.db.read(lambda tx: jobs.find_by_uuid(tx, found.job_uuid))
    assert job.principal == "csms"


async def test_a_station_that_declines_the_chain_is_told_of(bench, signing):
    station = await bench.station("GARAGE-1")
    bench.stations.automatic = lambda call: {"status": "Rejected"}
    await ask(bench, station)
    await bench.log.wait_for("certificate.declined")
    assert (await newest(bench, station)).state.value == "declined"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("no such customer", "no such customer"),
        ("nonsense", "chain of certificates"),
        (chain(kind="ec other"), "another key"),
    ],
)
async def test_a_signer_that_does_not_sign_is_told_of(bench, signing, answer, text, reason):
    answer.write_text(text)
    station = await bench.station("GARAGE-1")
    await ask(bench, station)
    event = await bench.log.wait_for("certificate.failed")
    assert reason in event.data["reason"]
    assert (await newest(bench, station)).state.value == "failed"
    assert bench.stations.calls == []


@pytest.mark.parametrize(
    ("component", "variable"),
    [("SecurityCtrlr", "MaxCertificateChainSize"), ("v16", "CertificateSignedMaxChainSize")],
)
async def test_a_chain_that_is_too_long_for_the_station_is_not_sent(
    bench, signing, component, variable
):
    station = await bench.station("GARAGE-1")
    key = VariableKey(component=component, variable=variable)
    await bench.db.write(
        lambda tx: variables.upsert_attribute(
            tx, variables.insert(tx, station.id, key), Attribute(type="Actual", value="600")
        )
    )
    await ask(bench, station)
    event = await bench.log.wait_for("certificate.failed")
    assert event.data["reason"].endswith("the station takes 600")


async def test_a_station_that_is_away_gets_its_chain_when_it_comes_back(bench, signing):
    station = await bench.station("GARAGE-1", connect=False)
    bench.stations.automatic = lambda call: {"status": "Accepted"}
    await ask(bench, station)
    await bench.log.wait_for("certificate.signed")
    await bench.until(lambda tx: tx.value("SELECT job_uuid FROM certificate_requests"))
    bench.stations.connect(station.id)
    await bench.log.wait_for("certificate.installed")


async def test_what_a_crash_left_open_goes_on_at_the_next_start(bench, signer):
    station = await bench.station("GARAGE-1")
    bench.stations.automatic = lambda call: {"status": "Accepted"}
    await ask(bench, station)
    task = asyncio.create_task(
        Signing(db=bench.db, bus=bench.bus, engine=bench.engine, signer=signer).run()
    )
    await bench.log.wait_for("certificate.installed")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_chain_that_was_signed_but_not_sent_is_sent_once(bench, signer):
    station = await bench.station("GARAGE-1")
    bench.stations.automatic = lambda call: {"status": "Accepted"}
    await ask(bench, station)
    made = await newest(bench, station)
    await bench.db.write(lambda tx: certificates.signed(tx, made.id, read_chain(chain())))
    first = Signing(db=bench.db, bus=bench.bus, engine=bench.engine, signer=signer)
    for _ in range(2):  # the second as if the number of the job had not been kept
        await first._send(await newest(bench, station))
    await bench.log.wait_for("certificate.installed")
    assert len(bench.stations.calls) == 1


async def test_a_person_may_bring_a_chain_by_hand(bench):
    station = await bench.station("GARAGE-1")
    await ask(bench, station)
    await bench.db.write(
        lambda tx: certificates.answered(tx, station.id, chain(), accepted=True, reason=None)
    )
    found = await newest(bench, station)
    assert (found.state.value, found.chain) == ("installed", chain())


async def test_a_chain_for_no_request_changes_nothing(bench):
    station = await bench.station("GARAGE-1")
    await ask(bench, station)
    for pem in (chain(kind="ec other"), "nonsense"):
        await bench.db.write(
            lambda tx, pem=pem: certificates.answered(
                tx, station.id, pem, accepted=True, reason=None
            )
        )
    assert (await newest(bench, station)).state.value == "pending"
