from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import structlog

from csms import errors
from csms.clock import ManualClock
from csms.domain.stations import Registration
from csms.domain.versions import OcppVersion
from csms.events import Bus
from csms.ocpp import schemas
from csms.ocpp.context import StationContext
from csms.ocpp.frames import Call, CallError, CallResult, FrameError, JsonObject
from csms.ocpp.router import TRANSACTION_CLASS, Outcome, Router, answer_to_broken
from csms.ocpp.settings import OcppSettings
from csms.services.heartbeats import Heartbeats
from csms.store.database import Database

V16, V201, V21 = OcppVersion.V16, OcppVersion.V201, OcppVersion.V21
MakeContext = Callable[..., StationContext]

STATUS = {
    V16: {"connectorId": 1, "errorCode": "NoError", "status": "Available"},
    V201: {
        "timestamp": "t",
        "connectorStatus": "Available",
        "evseId": 1,
        "connectorId": 1,
    },
}
STATUS[V21] = STATUS[V201]


@pytest.fixture
def context(db: Database, bus: Bus, clock: ManualClock) -> MakeContext:
    def make(version: OcppVersion = V16, **fields: Any) -> StationContext:
        values = {
            "db": db,
            "bus": bus,
            "clock": clock,
            "settings": OcppSettings(),
            "heartbeats": Heartbeats(db, clock),
            "epoch": 1,
            "station_id": 1,
            "identity": "S",
            "version": version,
            "generation": 1,
            "address": "",
            "strict": False,
            "log": structlog.get_logger("test"),
            **fields,
        }
        return StationContext(**values)

    return make


async def ok(station: StationContext, payload: JsonObject) -> JsonObject | None:
    return {"got": payload}


def router(version: OcppVersion, handler: Any = ok, *actions: str) -> Router:
    names = actions or ("BootNotification", "Heartbeat", "StatusNotification", "Authorize")
    return Router(version, {(version, action): handler for action in names})


def code_of(outcome: Outcome) -> str:
    assert isinstance(outcome.answer, CallError)
    assert outcome.answer.message_id == "id"
    assert len(outcome.answer.description) <= 255
    return outcome.answer.error_code


versions = pytest.mark.parametrize("version", list(OcppVersion))


@versions
async def test_a_handlers_payload_is_the_answer(version: OcppVersion, context: MakeContext) -> None:
    outcome = await router(version).route(context(version), Call("id", "Heartbeat", {}))
    assert outcome == Outcome(CallResult("id", {"got": {}}))


@versions
async def test_none_leaves_the_call_unanswered(version: OcppVersion, context: MakeContext) -> None:
    async def silent(station: StationContext, payload: JsonObject) -> None:
        return None

    outcome = await router(version, silent).route(context(version), Call("id", "Heartbeat", {}))
    assert outcome == Outcome(None)


@versions
async def test_an_unknown_action_is_not_implemented(
    version: OcppVersion, context: MakeContext
) -> None:
    for action in ("Nope", "heartbeat", "", "x" * 5000):
        outcome = await router(version).route(context(version), Call("id", action, {}))
        assert code_of(outcome) == "NotImplemented"


@versions
async def test_a_known_action_without_a_handler_is_not_supported(
    version: OcppVersion, context: MakeContext
) -> None:
    outcome = await router(version).route(context(version), Call("id", "DataTransfer", {}))
    assert code_of(outcome) == "NotSupported"


async def test_an_action_of_another_version_is_unknown(context: MakeContext) -> None:
    call = Call("id", "TransactionEvent", {})
    assert code_of(await router(V16).route(context(), call)) == "NotImplemented"
    assert code_of(await router(V201).route(context(V201), call)) == "NotSupported"


@versions
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"connectorId": "x"}, "TypeConstraintViolation"),
        ({"connectorId": -1}, "PropertyConstraintViolation"),
        ({"surplus": 1}, "FormatViolation"),
    ],
)
async def test_a_strict_server_names_what_is_wrong(
    version: OcppVersion, context: MakeContext, change: JsonObject, expected: str
) -> None:
    if version is V16 and change == {"connectorId": -1}:
        change = {"status": "Nope"}  # the 1.6 schema sets no minimum
    if version is not V16 and change == {"connectorId": -1}:
        change = {"connectorStatus": "Nope"}
    outcome = await router(version).route(
        context(version, strict=True), Call("id", "StatusNotification", STATUS[version] | change)
    )
    assert code_of(outcome) == schemas.spelled(version, expected)
    assert outcome.verdict is not None


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (V16, "ProtocolError"),
        (V201, "OccurrenceConstraintViolation"),
        (V21, "OccurrenceConstraintViolation"),
    ],
)
async def test_what_is_missing_has_its_own_code_in_each_version(
    version: OcppVersion, expected: str, context: MakeContext
) -> None:
    outcome = await router(version).route(
        context(version, strict=True), Call("id", "StatusNotification", {})
    )
    assert code_of(outcome) == expected


@pytest.mark.parametrize(
    ("version", "payload", "expected"),
    [
        (
            V16,
            {"connectorId": 1, "meterValue": [{"timestamp": "t", "sampledValue": []}]},
            "OccurenceConstraintViolation",
        ),
        (V201, {"evseId": 1, "meterValue": []}, "OccurrenceConstraintViolation"),
        (V21, {"evseId": 1, "meterValue": []}, "OccurrenceConstraintViolation"),
    ],
)
async def test_too_few_items_are_an_occurrence(
    version: OcppVersion, payload: JsonObject, expected: str, context: MakeContext
) -> None:
    outcome = await router(version, ok, "MeterValues").route(
        context(version, strict=True), Call("id", "MeterValues", payload)
    )
    assert code_of(outcome) == expected


@versions
async def test_a_lenient_server_handles_a_flawed_message_of_the_transaction_class(
    version: OcppVersion, context: MakeContext
) -> None:
    payload = STATUS[version] | {"surplus": 1}
    outcome = await router(version).route(
        context(version), Call("id", "StatusNotification", payload)
    )
    assert outcome.answer == CallResult("id", {"got": payload})
    assert outcome.verdict is not None
    assert outcome.verdict.startswith("Form")


@versions
async def test_what_the_handler_cannot_use_gets_the_schemas_refusal(
    version: OcppVersion, context: MakeContext
) -> None:
    async def picky(station: StationContext, payload: JsonObject) -> JsonObject:
        return {"status": payload["connectorId"]}

    outcome = await router(version, picky).route(
        context(version), Call("id", "StatusNotification", {"connectorId": []})
    )
    assert isinstance(outcome.answer, CallResult)
    outcome = await router(version, picky).route(
        context(version), Call("id", "StatusNotification", {})
    )
    assert code_of(outcome) in {"ProtocolError", "OccurrenceConstraintViolation"}


@versions
async def test_a_flawed_question_is_refused_even_by_a_lenient_server(
    version: OcppVersion, context: MakeContext
) -> None:
    outcome = await router(version).route(context(version), Call("id", "Authorize", {}))
    assert code_of(outcome) in {"ProtocolError", "OccurrenceConstraintViolation"}


@versions
async def test_a_flawed_heartbeat_is_answered(version: OcppVersion, context: MakeContext) -> None:
    outcome = await router(version).route(context(version), Call("id", "Heartbeat", {"x": 1}))
    assert isinstance(outcome.answer, CallResult)


@versions
@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.Invalid("no"), "PropertyConstraintViolation"),
        (errors.BadRequest("no"), "PropertyConstraintViolation"),
        (errors.Forbidden("no"), "SecurityError"),
        (errors.Unauthenticated("no"), "SecurityError"),
        (errors.NotSupportedByVersion("no"), "NotSupported"),
        (errors.NotFound("no"), "InternalError"),
        (errors.Conflict("no"), "InternalError"),
        (errors.StorageFull("no"), "InternalError"),
        (ValueError("canary"), "InternalError"),
        (KeyError("canary"), "InternalError"),
        (RecursionError("canary"), "InternalError"),
        (errors.NotFound("canary" * 99), "InternalError"),
    ],
)
async def test_what_a_handler_raises_becomes_a_code(
    version: OcppVersion, error: Exception, expected: str, context: MakeContext
) -> None:
    async def failing(station: StationContext, payload: JsonObject) -> JsonObject:
        raise error

    payload = {"idTag": "t"} if version is V16 else {"idToken": {"idToken": "t", "type": "Central"}}
    outcome = await router(version, failing).route(
        context(version), Call("id", "Authorize", payload)
    )
    assert code_of(outcome) == expected
    assert isinstance(outcome.answer, CallError)
    assert "canary" not in outcome.answer.description


async def test_a_schema_that_fails_is_answered_too(
    context: MakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: object) -> None:
        raise OSError("canary")

    async def never(station: StationContext, payload: JsonObject) -> JsonObject:
        raise AssertionError

    made = router(V16, never)
    monkeypatch.setattr(schemas, "checker", stumble)
    outcome = await made.route(context(V16), Call("id", "Authorize", {"idTag": "t"}))
    assert "InternalError" == code_of(outcome)


@versions
async def test_a_full_disk_leaves_the_transaction_class_unanswered(
    version: OcppVersion, context: MakeContext
) -> None:
    async def full(station: StationContext, payload: JsonObject) -> JsonObject:
        raise errors.StorageFull("full")

    for payload in (STATUS[version], {}):
        outcome = await router(version, full).route(
            context(version), Call("id", "StatusNotification", payload)
        )
        assert (outcome.answer, outcome.close_code) == (None, 1013)


@pytest.mark.parametrize("version", [V201, V21])
@pytest.mark.parametrize("registration", [Registration.PENDING, Registration.REJECTED])
async def test_before_it_is_accepted_a_2_x_station_may_only_boot(
    version: OcppVersion, registration: Registration, context: MakeContext
) -> None:
    station = context(version, registration=registration)
    outcome = await router(version).route(station, Call("id", "Heartbeat", {}))
    assert code_of(outcome) == "SecurityError"
    boot = {"reason": "PowerUp", "chargingStation": {"model": "m", "vendorName": "v"}}
    outcome = await router(version).route(station, Call("id", "BootNotification", boot))
    assert isinstance(outcome.answer, CallResult)


async def test_a_pending_1_6_station_may_send_what_it_was_asked_for(context: MakeContext) -> None:
    station = context(registration=Registration.PENDING)
    outcome = await router(V16).route(station, Call("id", "StatusNotification", STATUS[V16]))
    assert isinstance(outcome.answer, CallResult)


def test_only_stored_messages_are_in_the_transaction_class() -> None:
    known = {action for version in OcppVersion for action in schemas.actions(version)}
    assert known >= TRANSACTION_CLASS
    assert not {"Heartbeat", "Authorize", "DataTransfer"} & TRANSACTION_CLASS


# ---- frames that could not be read -----------------------------------------------------------


def broken(**fields: Any) -> FrameError:
    return FrameError("why", **fields)


def answered(version: OcppVersion, error: FrameError) -> tuple[str, str] | None:
    answer = answer_to_broken(version, error)
    return None if answer is None else (answer.message_id, answer.error_code)


def test_a_broken_1_6_call_with_an_id_is_a_formation_violation() -> None:
    assert answered(V16, broken(message_id="7", message_type=2)) == ("7", "FormationViolation")


@pytest.mark.parametrize(
    "error", [broken(), broken(message_type=2), broken(message_id="7"), broken(message_id="7")]
)
def test_a_broken_1_6_frame_without_an_id_or_type_is_dropped(error: FrameError) -> None:
    assert answered(V16, error) is None


@pytest.mark.parametrize("version", [V201, V21])
def test_a_broken_2_x_frame_gets_its_id_or_minus_one(version: OcppVersion) -> None:
    assert answered(version, broken()) == ("-1", "RpcFrameworkError")
    assert answered(version, broken(message_type=2)) == ("-1", "RpcFrameworkError")
    assert answered(version, broken(message_id="7", message_type=2)) == ("7", "RpcFrameworkError")


@versions
@pytest.mark.parametrize("kind", [3, 4])
def test_a_broken_answer_is_never_answered(version: OcppVersion, kind: int) -> None:
    assert answered(version, broken(message_id="7", message_type=kind)) is None


@pytest.mark.parametrize("kind", [5, 6])
def test_a_broken_send_is_never_answered(kind: int) -> None:
    assert answered(V21, broken(message_id="7", message_type=kind)) is None
    assert answered(V16, broken(message_id="7", message_type=kind)) is None


def test_an_unknown_message_type_is_reported_in_2_0_1_only() -> None:
    error = broken(message_id="7", unknown_type=True)
    assert answered(V16, error) is None
    assert answered(V201, error) == ("7", "MessageTypeNotSupported")
    assert answered(V21, error) is None
    for kind in (5, 6):
        known_in_2_1 = broken(message_id="7", message_type=kind, unknown_type=True)
        assert answered(V201, known_in_2_1) == ("7", "MessageTypeNotSupported")
