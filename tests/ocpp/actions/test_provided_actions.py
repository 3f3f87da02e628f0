"""Actions whose answer comes from the operator's provider, or is an honest no."""

from __future__ import annotations

import shlex
import sys
from typing import Any, NamedTuple

import pytest

from csms.domain.versions import OcppVersion
from csms.errors import Invalid
from csms.ocpp import schemas
from csms.ocpp.actions import (
    get_15118ev_certificate,
    get_certificate_chain_status,
    get_certificate_status,
    vat_number_validation,
)
from csms.services.programs import Program

_, V201, V21 = OcppVersion


class Case(NamedTuple):
    version: OcppVersion
    action: str
    handler: Any
    payload: dict[str, Any]
    expected: dict[str, Any]
    """Without a provider, and without the reason."""


HASH = {
    "hashAlgorithm": "SHA256",
    "issuerNameHash": "aa",
    "issuerKeyHash": "bb",
    "serialNumber": "1",
}
CASES = [
    Case(
        V201,
        "GetCertificateStatus",
        get_certificate_status.on_v2x,
        {"ocspRequestData": {**HASH, "responderURL": "http://169.254.169.254/"}},
        {"status": "Failed"},
    ),
    Case(
        V21,
        "GetCertificateChainStatus",
        get_certificate_chain_status.on_v21,
        {
            "certificateStatusRequests": [
                {"certificateHashData": HASH, "source": "CRL", "urls": ["http://localhost/"]}
            ]
            * 2
        },
        {
            "certificateStatus": [
                {
                    "certificateHashData": HASH,
                    "source": "CRL",
                    "status": "Failed",
                    "nextUpdate": "2026-05-01T12:00:00.000Z",
                }
            ]
            * 2
        },
    ),
    Case(
        V201,
        "Get15118EVCertificate",
        get_15118ev_certificate.on_v2x,
        {"iso15118SchemaVersion": "urn:iso:15118:2:2013", "action": "Install", "exiRequest": "gA"},
        {"status": "Failed", "exiResponse": ""},
    ),
    Case(
        V21,
        "VatNumberValidation",
        vat_number_validation.on_v21,
        {"vatNumber": "DE123456789", "evseId": 1},
        {"status": "Rejected", "vatNumber": "DE123456789", "evseId": 1},
    ),
]
each = pytest.mark.parametrize("case", CASES, ids=[case.action for case in CASES])


def python(code: str) -> Program:
    return Program(shlex.join([sys.executable, "-c", code]), timeout_s=20)


async def answered(station, case):
    assert schemas.is_valid(case.version, case.action, "request", case.payload)
    station.version = case.version
    answer = await case.handler(station, case.payload)
    assert schemas.is_valid(case.version, case.action, "response", answer)
    info = answer.pop("statusInfo", {})
    return answer, info.get("reasonCode")


@each
async def test_without_a_provider_the_answer_says_so(station, case):
    answer, code = await answered(station, case)
    assert answer == case.expected
    assert code in {"NotEnabled", None}


@each
@pytest.mark.parametrize(
    "code", ["raise SystemExit(1)", "print('no JSON')", "print('[]')", "print('{\"a\": 1}')"]
)
async def test_a_provider_that_gives_no_answer_is_as_good_as_none(station, case, code):
    station.provider = python(code)
    answer, code = await answered(station, case)
    assert answer == case.expected
    assert code in {"InternalError", None}


async def test_the_provider_is_asked_with_the_whole_question(station):
    station.provider = python(
        "import json, sys, os\n"
        "asked = json.load(sys.stdin)\n"
        "said = [asked['station'], asked['version'], os.environ['OCPP_ACTION']]\n"
        "said.append(asked['payload']['ocspRequestData']['serialNumber'])\n"
        "print(json.dumps({'status': 'Accepted', 'ocspResult': ' '.join(said)}))"
    )
    answer, _ = await answered(station, CASES[0])
    assert answer == {
        "status": "Accepted",
        "ocspResult": "GARAGE-1 2.0.1 GetCertificateStatus 1",
    }


@each
@pytest.mark.parametrize("flawed", [{}, {"vatNumber": "9" * 50}, {"vatNumber": 7, "evseId": -1}])
async def test_a_flawed_question_gets_an_answer_all_the_same(station, case, flawed):
    station.version = case.version
    try:
        answer = await case.handler(station, flawed)
    except Invalid:  # answered by the router
        return
    assert schemas.is_valid(case.version, case.action, "response", answer)
