"""What a station does wrong is found, with its rule, its place and its clause."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from csms.domain.lint import Direction, Rule
from csms.domain.stations import Station
from csms.domain.versions import OcppVersion
from csms.ocpp import findings, schemas
from csms.ocpp.context import StationContext
from csms.ocpp.findings import message_clause
from csms.ocpp.frames import JsonObject
from csms.services import stations as station_service
from csms.store import lint_findings, stations
from csms.store.lint_findings import LintFilter, LintFinding
from tests.ocpp.conftest import BOOT, Client, Server, Start

V16, V201, V21 = OcppVersion.V16, OcppVersion.V201, OcppVersion.V21
STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}


async def found(server: Server, station: Station) -> list[LintFinding]:
    """Oldest first."""
    await server.lint.flush()
    wanted = LintFilter(station_id=station.id)
    page = await server.db.read(lambda tx: lint_findings.list_page(tx, wanted, limit=100))
    return page[::-1]


async def brief(server: Server, station: Station) -> list[tuple[str, str, str]]:
    return [(row.action, row.rule, row.path) for row in await found(server, station)]


def call(action: str, payload: Any, message_id: str = "m") -> bytes:
    return orjson.dumps([2, message_id, action, payload])


async def test_every_breach_of_a_message_is_a_finding(server: Server) -> None:
    station, client = await server.online("S")
    payload = {"connectorId": "1", "errorCode": "Nope", "timestamp": "2026-05-01T10:00:00", "x": 1}
    answer = await client.ask(call("StatusNotification", payload))
    assert answer == [3, "m", {}]
    rows = await found(server, station)
    assert {(row.rule, row.path, row.example) for row in rows} == {
        ("missing-required-field", "status", None),
        ("wrong-type", "connectorId", "1"),
        ("unknown-enum-value", "errorCode", "Nope"),
        ("unknown-field", "", '["x"]'),
        ("timestamp-without-zone", "timestamp", "2026-05-01T10:00:00"),
    }
    assert {row.clause for row in rows} == {"OCPP 1.6 6.47", "OCPP 1.6 3.15"}
    assert {(row.direction, row.version) for row in rows} == {(Direction.IN, V16)}


async def test_a_message_without_a_flaw_leaves_nothing(server: Server) -> None:
    station, client = await server.online("S")
    await client.ask(call("StatusNotification", {**STATUS, "timestamp": "2026-05-01T10:00:00Z"}))
    assert await found(server, station) == []


async def test_entries_of_a_list_are_one_place(server: Server) -> None:
    station, client = await server.online("S")
    reading = {"timestamp": "2026-05-01T10:00:00Z", "sampledValue": [{"value": 1}, {"value": 2}]}
    await client.ask(call("MeterValues", {"connectorId": 1, "meterValue": [reading, reading]}))
    assert await brief(server, station) == [
        ("MeterValues", "wrong-type", "meterValue[].sampledValue[].value")
    ]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("2026-05-01T10:00:00", Rule.TIMESTAMP_WITHOUT_ZONE),
        ("222222017-10-27T00:00:00Z", Rule.TIMESTAMP_UNREADABLE),
        ("2022-02-29T00:00:00Z", Rule.TIMESTAMP_UNREADABLE),
        ("", Rule.TIMESTAMP_UNREADABLE),
        ("2026-05-01 10:00:00Z", Rule.TIMESTAMP_SPELLING),
        ("2026-05-01T10:00:00+02", Rule.TIMESTAMP_SPELLING),
        ("1970-01-01 00:00:00Z", Rule.TIME_OUT_OF_RANGE),
        (5, Rule.WRONG_TYPE),
    ],
)
async def test_a_timestamp_is_found_out_by_its_schema(
    server: Server, text: object, rule: Rule
) -> None:
    station, client = await server.online("S")
    await client.ask(call("StatusNotification", {**STATUS, "timestamp": text}))
    assert await brief(server, station) == [("StatusNotification", rule.value, "timestamp")]


@pytest.mark.parametrize("number", [2**63, -(10**30)])
async def test_a_message_with_an_integer_beyond_64_bits_is_served(
    server: Server, number: int
) -> None:
    station, client = await server.online("S")
    stop = f'{{"transactionId":{number},"meterStop":{number},"timestamp":"2026-05-01T10:00:00Z"}}'
    answer = await client.ask(f'[2,"m","StopTransaction",{stop}]'.encode())
    assert answer == [3, "m", {}]
    rows = await found(server, station)
    assert {(row.rule, row.path, row.example) for row in rows} == {
        ("integer-out-of-range", "transactionId", str(number)),
        ("integer-out-of-range", "meterStop", str(number)),
    }


async def test_a_handler_finds_what_no_schema_can_see(start: Start) -> None:
    def handle(station: StationContext, payload: JsonObject) -> JsonObject:
        station.instant(payload["data"], "data")
        station.instant(payload["data"], "data")
        station.lint(Rule.TOO_LARGE, "vendorId", value=5, clause="here")
        return {"status": "Accepted"}

    server = await start({(V16, "DataTransfer"): handle})
    station, client = await server.online("S")
    payload = {"vendorId": "v", "data": "0001-01-01T00:00:00Z"}
    await client.ask(call("DataTransfer", payload))
    await client.ask(call("Heartbeat", {}, "h"))
    first, second = await found(server, station)
    assert (first.rule, first.path, first.example) == (
        "time-out-of-range",
        "data",
        "0001-01-01T00:00:00Z",
    )
    assert (second.rule, second.clause, second.count) == ("too-large", "here", 1)


async def test_a_register_that_falls_is_a_finding(start: Start) -> None:
    server = await start()
    station, password = await server.register("S")
    client = await server.connect("S", password, protocols=("ocpp2.0.1",))
    event = {
        "eventType": "Updated",
        "timestamp": "2026-05-01T10:00:00Z",
        "triggerReason": "MeterValuePeriodic",
        "seqNo": 1,
        "transactionInfo": {"transactionId": "t"},
        "meterValue": [
            {"timestamp": f"2026-05-01T10:0{minute}:00Z", "sampledValue": [{"value": value}]}
            for minute, value in enumerate((500, 400))
        ],
    }
    assert (await client.ask(call("TransactionEvent", event)))[0] == 3
    (row,) = await found(server, station)
    assert (row.rule, row.path) == ("register-falls", "meterValue[].sampledValue[].value")


async def test_a_write_that_waits_reports_under_its_own_message(start: Start) -> None:
    release = asyncio.Event()

    async def handle(station: StationContext, payload: JsonObject) -> JsonObject:
        await release.wait()
        station.lint(Rule.TOO_LARGE, "data")
        return {"status": "Accepted"}

    server = await start({(V16, "DataTransfer"): handle})
    station, client = await server.online("S")
    await client.send(call("DataTransfer", {"vendorId": "v"}, "a"))
    await client.send(call("Heartbeat", {"x": 1}, "b"))
    release.set()
    assert [(await client.receive())[1] for _ in range(2)] == ["a", "b"]
    assert await brief(server, station) == [
        ("DataTransfer", "too-large", "data"),
        ("Heartbeat", "unknown-field", ""),
    ]


@pytest.mark.parametrize(
    ("data", "rule", "clause"),
    [
        (b'[2,"1","Heartbeat",{', Rule.FRAME_NOT_JSON, "OCPP-J 1.6 4.1.2"),
        (b'{"a":1}', Rule.FRAME_MALFORMED, "OCPP-J 1.6 4.2"),
        (b'[2,"1","Heartbeat",[]]', Rule.FRAME_MALFORMED, "OCPP-J 1.6 4.2"),
        (b'[2,"","Heartbeat",{}]', Rule.INVALID_MESSAGE_ID, "OCPP-J 1.6 4.1.4"),
        (b'[9,"1","Heartbeat",{}]', Rule.UNKNOWN_MESSAGE_TYPE, "OCPP-J 1.6 4.1.3"),
        (b'[6,"1","Heartbeat",{}]', Rule.UNKNOWN_MESSAGE_TYPE, "OCPP-J 1.6 4.1.3"),
        (b'[2,"1","Heartbeat",{"a":1,"a":2}]', Rule.DUPLICATE_KEY, None),
        (b'[2,"1","Heartbeat",{"a":' + b"[" * 40 + b"]" * 40 + b"}]", Rule.FRAME_TOO_LARGE, None),
    ],
)
async def test_a_broken_frame_is_a_finding(
    server: Server, data: bytes, rule: Rule, clause: str | None
) -> None:
    station, client = await server.online("S")
    await client.send(data)
    await server.until(lambda: server.hub.stats().garbled)
    (row,) = await found(server, station)
    assert (row.action, row.rule, row.clause) == ("", rule.value, clause)
    assert row.example == data.decode()[:200]


async def test_actions_that_do_not_belong_here(server: Server) -> None:
    station, client = await server.online("S")
    for action in ("Nope", "Reset", "SecurityEventNotification"):
        await client.ask(call(action, {}, action))
    rows = await brief(server, station)
    assert rows[:2] == [("Nope", "unknown-action", ""), ("Reset", "unexpected-action", "")]


@pytest.mark.parametrize("again", ['"vendorId":"v"', '"vendorId":"w"'])
async def test_a_message_id_used_twice(server: Server, again: str) -> None:
    station, client = await server.online("S")
    await client.ask('[2,"same","DataTransfer",{"vendorId":"v"}]')
    await client.ask(f'[2,"same","DataTransfer",{{{again}}}]')
    (row,) = await found(server, station)
    assert (row.action, row.rule, row.example) == ("DataTransfer", "repeated-message-id", "same")


async def answer_to_reset(server: Server, answer: str) -> list[tuple[str, str, str]]:
    station, client = await server.online("S")
    calling = asyncio.create_task(
        server.hub.call(
            station.id, action="Reset", payload={"type": "Soft"}, message_id="r", timeout_s=5
        )
    )
    await client.receive()
    await client.send(answer)
    await asyncio.wait([calling])
    calling.exception()
    rows = await found(server, station)
    assert {row.direction for row in rows} <= {Direction.OUT}
    return [(row.action, row.rule, row.path) for row in rows]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ('[3,"r",{"status":"Accepted"}]', []),
        ('[3,"r",{"status":"Perhaps"}]', [("Reset", "unknown-enum-value", "status")]),
        ('[3,"r",{}]', [("Reset", "missing-required-field", "status")]),
        ('[4,"r","FormationViolation",""]', []),
        ('[4,"r","Busy","",{}]', [("Reset", "unknown-error-code", "")]),
        ('[3,"r",{"status":', [("", "frame-not-json", "")]),
    ],
)
async def test_a_flawed_answer_to_our_call(
    server: Server, answer: str, expected: list[tuple[str, str, str]]
) -> None:
    assert await answer_to_reset(server, answer) == expected


async def test_a_strict_station_is_refused_and_the_finding_kept_all_the_same(
    server: Server,
) -> None:
    station, client = await server.online("S")
    await server.db.write(
        lambda tx: station_service.update(tx, stations.get(tx, station.id), {"strict": True})
    )
    for payload, code in (
        ({**STATUS, "x": 1}, "FormationViolation"),
        ({**STATUS, "timestamp": "now"}, "PropertyConstraintViolation"),
    ):
        answer = await client.ask(call("StatusNotification", payload, code))
        assert answer[:3] == [4, code, code]
    await server.db.write(
        lambda tx: station_service.update(tx, stations.get(tx, station.id), {"strict": None})
    )
    assert await client.ask(call("StatusNotification", {**STATUS, "x": 1})) == [3, "m", {}]
    assert len(await found(server, station)) == 2


async def test_a_flawed_boot_counts_for_the_firmware_it_tells(server: Server) -> None:
    station, password = await server.register("S")
    client: Client = await server.connect("S", password)
    await client.ask(BOOT.replace('"chargePointModel":"M"', '"firmwareVersion":"1.9"'))
    (row,) = await found(server, station)
    assert (row.path, row.firmware_version) == ("chargePointModel", "1.9")


# ---- clauses ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "action", "direction", "clause"),
    [
        (V16, "Authorize", Direction.IN, "OCPP 1.6 6.1"),
        (V16, "StopTransaction", Direction.IN, "OCPP 1.6 6.49"),
        (V16, "UpdateFirmware", Direction.OUT, "OCPP 1.6 6.56"),
        (
            V16,
            "SignedFirmwareStatusNotification",
            Direction.IN,
            "OCPP 1.6 security whitepaper 5.19",
        ),
        (V201, "TransactionEvent", Direction.IN, "OCPP 2.0.1 part 2, messages 1.60"),
        (V201, "ClearedChargingLimit", Direction.IN, "OCPP 2.0.1 part 2, messages 1.9"),
        (V21, "AFRRSignal", Direction.OUT, "OCPP 2.1 part 2, messages 1.2"),
        (V21, "SetDERControl", Direction.OUT, "OCPP 2.1 part 2, messages 1.75"),
        (V21, "VatNumberValidation", Direction.IN, "OCPP 2.1 part 2, messages 1.91"),
        (V16, "Nope", Direction.IN, None),
    ],
)
def test_the_clause_of_a_message(
    version: OcppVersion, action: str, direction: Direction, clause: str | None
) -> None:
    assert message_clause(version, action, direction) == clause


def test_a_key_of_the_senders_own_is_no_part_of_a_place() -> None:
    assert findings.place(("customData", 0, "bad\nkey", "b")) == "customData[].?.b"


def test_every_keyword_of_the_schemas_has_a_rule() -> None:
    def keywords(schema: Any) -> set[str]:
        if isinstance(schema, list):
            return set().union(*map(keywords, schema))
        if not isinstance(schema, dict):
            return set()
        return set(schema).union(*map(keywords, schema.values()))

    from importlib import resources

    used: set[str] = set()
    for folder in ("v16", "v201", "v21"):
        for file in (resources.files("ocpp") / folder / "schemas").iterdir():
            used |= keywords(orjson.loads(file.read_bytes().removeprefix(b"\xef\xbb\xbf")))
    judging = {
        "anyOf", "const", "exclusiveMaximum", "exclusiveMinimum", "minLength", "minProperties",
        "oneOf", "pattern", "uniqueItems",
    }  # fmt: skip
    assert judging & used == set()


def test_a_payload_with_endless_faults_is_judged_in_a_moment() -> None:
    payload = {"connectorId": 1, "meterValue": [{"timestamp": 5, "sampledValue": [{}]}] * 9000}
    assert len(schemas.breaches(V16, "MeterValues", "request", payload)) <= 20
