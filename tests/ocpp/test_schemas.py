from __future__ import annotations

import gc
import time
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from csms.domain.versions import OcppVersion
from csms.ocpp import schemas

V16, V201, V21 = OcppVersion.V16, OcppVersion.V201, OcppVersion.V21
START = {"connectorId": 1, "idTag": "tag", "meterStart": 1, "timestamp": "whenever"}
STATUS_201 = {
    "timestamp": "whenever",
    "connectorStatus": "Available",
    "evseId": 1,
    "connectorId": 1,
}


def test_every_action_of_every_version_is_known() -> None:
    assert [len(schemas.actions(version)) for version in (V16, V201, V21)] == [39, 64, 91]
    for version in OcppVersion:
        for action in schemas.actions(version):
            has_answer = schemas.checker(version, action, "response") is not None
            assert has_answer == (action != "NotifyPeriodicEventStream")


def test_names_are_case_sensitive() -> None:
    assert schemas.knows(V16, "Heartbeat")
    assert not schemas.knows(V16, "heartbeat")
    assert not schemas.knows(V16, "TransactionEvent")
    assert schemas.knows(V201, "TransactionEvent")


def test_a_schema_is_compiled_when_it_is_first_asked() -> None:
    schemas._compiled.cache_clear()
    assert schemas.knows(V21, "BootNotification")
    assert len(schemas.actions(V16)) == 39
    assert schemas._compiled.cache_info().currsize == 0
    assert schemas.is_valid(V16, "Heartbeat", "request", {})
    assert schemas._compiled.cache_info().currsize == 1


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b'{"type": 7}'])
def test_what_a_schema_that_went_says_is_not_asked(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "Heartbeat.json"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setattr(schemas, "_files", lambda: {(V16, "Heartbeat", "request"): file})
    schemas._compiled.cache_clear()
    with capture_logs() as logs:
        for payload in ({}, {"anything": 1}):
            assert [] == schemas.breaches(V16, "Heartbeat", "request", payload)
    schemas._compiled.cache_clear()
    assert ["a schema is unreadable; until a restart its messages are not checked"] == [
        entry["event"] for entry in logs
    ]


def test_actions_that_stations_invent_leave_nothing_behind() -> None:
    kept = schemas._compiled.cache_info().currsize
    for number in range(10):
        assert not schemas.is_valid(V16, f"Heartbeat{number}", "request", {})
        assert schemas.checker(V16, f"Heartbeat{number}", "request") is None
    assert schemas._compiled.cache_info().currsize == kept


def test_compiling_everything_is_quick() -> None:
    schemas._compiled.cache_clear()
    began = time.process_time()
    with capture_logs() as logs:
        for version in OcppVersion:
            for action in schemas.actions(version):
                schemas.checker(version, action, "request")
                schemas.checker(version, action, "response")
    assert time.process_time() - began < 1.0
    assert [] == logs


def test_formats_are_not_checked() -> None:
    assert schemas.is_valid(V16, "StartTransaction", "request", START)
    assert schemas.violation(V16, "StartTransaction", "request", START) is None
    assert schemas.why(V16, "StartTransaction", "request", START) is None


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        ({"connectorId": "1"}, "TypeConstraintViolation", "connectorId has the wrong type"),
        ({"connectorId": 1.5}, "TypeConstraintViolation", "connectorId has the wrong type"),
        ({"idTag": "x" * 21}, "PropertyConstraintViolation", "idTag has more than 20 characters"),
        ({"canary": 1}, "FormationViolation", "canary is not a field that the schema knows"),
        ({"no name!": 1}, "FormationViolation", "? is not a field that the schema knows"),
        ({"connectorId": -1}, "PropertyConstraintViolation", "connectorId is less than 1"),
        ({"meterStart": str(2**63)}, "TypeConstraintViolation", "meterStart is beyond 64 bits"),
        ({"idTag": ...}, "ProtocolError", "idTag is missing"),
    ],
)
def test_the_codes_of_1_6(change: dict[str, Any], code: str, message: str) -> None:
    payload = {key: value for key, value in {**START, **change}.items() if value is not ...}
    assert schemas.why(V16, "StartTransaction", "request", payload) == (code, message)


@pytest.mark.parametrize("action", ["Heartbeat", "SecurityEventNotification"])
def test_a_message_without_fields_names_the_one_too_many(action: str) -> None:
    kind: schemas.Kind = "request" if action == "Heartbeat" else "response"
    (found,) = schemas.breaches(V16, action, kind, {"canary": 1})
    assert (found.message, found.value) == (
        "canary is not a field that the schema knows",
        ["canary"],
    )


def test_1_6_spells_occurence_with_one_r() -> None:
    payload = {"connectorId": 1, "meterValue": [{"timestamp": "t", "sampledValue": []}]}
    assert schemas.why(V16, "MeterValues", "request", payload) == (
        "OccurenceConstraintViolation",
        "meterValue.0.sampledValue has fewer than 1 entries",
    )
    assert schemas.why(V201, "MeterValues", "request", {"evseId": 1, "meterValue": []}) == (
        "OccurrenceConstraintViolation",
        "meterValue has fewer than 1 entries",
    )


@pytest.mark.parametrize("version", [V201, V21])
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"evseId": "1"}, "TypeConstraintViolation"),
        ({"connectorStatus": "Nope"}, "PropertyConstraintViolation"),
        ({"canary": 1}, "FormatViolation"),
        ({"timestamp": ...}, "OccurrenceConstraintViolation"),
    ],
)
def test_the_codes_of_2_x(version: OcppVersion, change: dict[str, Any], code: str) -> None:
    payload = {key: value for key, value in {**STATUS_201, **change}.items() if value is not ...}
    found = schemas.why(version, "StatusNotification", "request", payload)
    assert found is not None
    assert found[0] == code


def test_an_action_without_a_schema_is_never_valid() -> None:
    assert not schemas.is_valid(V16, "Nope", "request", {})
    found = schemas.why(V16, "Nope", "request", {})
    assert found is not None
    assert found[0] == "NotImplemented"


@pytest.mark.parametrize("payload", [None, 1, "text", [], [{}]])
def test_a_payload_that_is_no_object_has_the_wrong_type(payload: Any) -> None:
    found = schemas.why(V16, "Heartbeat", "request", payload)
    assert found is not None
    assert found[0] == "TypeConstraintViolation"


def test_the_description_is_short_and_never_repeats_the_payload() -> None:
    hostile = "canary" * 200
    payloads: list[dict[str, Any]] = [
        {**START, hostile: 1},
        {**START, "idTag": hostile},
        {**START, "timestamp": {hostile: hostile}},
        {hostile: hostile},
    ]
    for payload in payloads:
        found = schemas.why(V16, "StartTransaction", "request", payload)
        assert found is not None
        assert len(found[1]) <= 255
        assert "canary" not in found[1]


def test_the_path_leads_into_the_payload() -> None:
    payload = {
        "connectorId": 1,
        "meterValue": [{"timestamp": "t", "sampledValue": [{"value": "1"}, {"value": 2}]}],
    }
    found = schemas.violation(V16, "MeterValues", "request", payload)
    assert found is not None
    assert found.path == ("meterValue", 0, "sampledValue", 1, "value")
    assert found.message == "meterValue.0.sampledValue.1.value has the wrong type"


def test_surplus_is_told_apart_from_what_is_wrong() -> None:
    answer = {"configurationKey": [{"key": "k", "readonly": False, "value": "v" * 501}]}
    found = schemas.violation(V16, "GetConfiguration", "response", answer)
    assert found is not None
    assert found.is_surplus
    wrong = schemas.violation(V16, "Reset", "response", {"status": "Perhaps", "extra": 1})
    assert wrong is not None
    assert not wrong.is_surplus
    assert wrong.keyword == "enum"


@pytest.mark.parametrize("entry", [0, {}, {"canary": 1}])
def test_of_a_large_payload_one_fault_is_explained(entry: Any) -> None:
    report = {"requestId": 1, "generatedAt": "2026-05-01T00:00:00Z", "seqNo": 0}
    few, many = ({**report, "reportData": [entry] * number} for number in (10, 20_000))
    (one,) = schemas.breaches(V201, "NotifyReport", "request", many)
    assert one in schemas.breaches(V201, "NotifyReport", "request", few)


def test_a_large_payload_without_a_fault_is_valid() -> None:
    attribute = {"value": "1"}
    entry = {
        "component": {"name": "C"},
        "variable": {"name": "V"},
        "variableAttribute": [attribute] * 4,
    }
    report = {"requestId": 1, "generatedAt": "2026-05-01T00:00:00Z", "seqNo": 0}
    payload = {**report, "reportData": [entry] * 2000}
    assert schemas.breaches(V201, "NotifyReport", "request", payload) == []


def test_a_payload_with_many_values_leaves_no_garbage() -> None:
    payload = {"x": [0] * 10_000}
    assert schemas.breaches(V16, "Heartbeat", "request", payload)
    gc.collect()
    gc.disable()
    try:
        assert schemas.breaches(V16, "Heartbeat", "request", payload)
        assert gc.collect() == 0
    finally:
        gc.enable()
