"""What stations write into their messages."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from csms.domain.id_tokens import Decision, ShownToken, UnknownIdTokens
from csms.errors import CallRefused
from csms.services import id_tokens
from csms.services.id_tokens import Settings
from tests.ocpp.conftest import Client, Server, Start
from tests.quirks.conftest import (
    HEARTBEAT,
    STATUS,
    answering,
    boot,
    call,
    fired,
    frame,
    online,
    override,
)

NOW = "2026-05-01T12:00:00Z"


async def rows(server: Server, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await server.db.read(lambda tx: tx.all(sql))]


async def started(client: Client, tag: str = "T", message_id: str = "start") -> int:
    payload = {"connectorId": 1, "idTag": tag, "meterStart": 0, "timestamp": NOW}
    answer = await client.ask(frame(message_id, "StartTransaction", payload))
    assert answer[2]["idTagInfo"]["status"] == "Accepted"
    return int(answer[2]["transactionId"])


def meter_values(
    message_id: str, at: str = NOW, *, transaction_id: int | None = None, **sample: Any
) -> bytes:
    payload: dict[str, Any] = {
        "connectorId": 1,
        "meterValue": [{"timestamp": at, "sampledValue": [{"value": "100", **sample}]}],
    }
    if transaction_id is not None:
        payload["transactionId"] = transaction_id
    return frame(message_id, "MeterValues", payload)


async def test_grizzl_e_cuts_its_answers_off(server: Server) -> None:
    station, client = await online(server, "UnitedChargers", "Grizzl-E")
    calling = call(server, station, "GetConfiguration", payload={"key": ["HeartbeatInterval"]})
    asked = await client.receive()
    await client.send(f'[3,"{asked[1]}",{{"configurationKey":[]')
    with pytest.raises(CallRefused, match="InvalidAnswer"):
        await calling
    assert (await client.ask(HEARTBEAT))[0] == 3
    await fired(server, station, "truncated-answer")


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        ('"FormationViolation",""', "FormationViolation", ""),
        ('"FormatViolation","text",{}', "FormatViolation", "text"),
        ('"SomethingElse"', "SomethingElse", ""),
        ('"","",[]', "", ""),
        ("7,8,9", "GenericError", ""),
    ],
)
async def test_every_spelling_of_an_error_is_read(
    server: Server, error: str, code: str, text: str
) -> None:
    station, client = await server.online("S")
    calling = call(server, station, "ClearCache")
    await answering(client, error, kind=4)
    with pytest.raises(CallRefused) as caught:
        await calling
    assert (caught.value.error_code, caught.value.description) == (code, text)


@pytest.mark.parametrize("number", [2**63 - 1, 0, -1, -(2**31)])
async def test_alfen_reports_a_transaction_id_that_is_none(server: Server, number: int) -> None:
    _, client = await online(server, "Alfen BV", "NG920-61001")
    sample = meter_values("m", transaction_id=number, context="CurrentMax")
    assert await client.ask(sample) == [3, "m", {}]
    stop = {"transactionId": number, "meterStop": 100, "timestamp": NOW}
    assert (await client.ask(frame("s", "StopTransaction", stop)))[:2] == [3, "s"]
    assert await rows(server, "SELECT context FROM meter_values") == [("CurrentMax",)]


async def test_open_evse_counts_in_kwh_and_calls_it_wh(server: Server) -> None:
    station, client = await online(server, "OpenEVSE", "Advanced", firmware="4.2.2")
    number = await started(client)
    sample = meter_values("m", transaction_id=number, unit="Wh")
    assert await client.ask(sample) == [3, "m", {}]
    stop = {"transactionId": number, "meterStop": 101, "timestamp": NOW}
    await client.ask(frame("s", "StopTransaction", stop))
    assert await rows(server, "SELECT register_mwh FROM meter_values") == [(100_000_000,)]
    assert await rows(server, "SELECT end_register_mwh FROM transactions") == [(101_000_000,)]
    await fired(server, station, "openevse-kwh")


async def test_schneider_tells_totals_that_its_phases_contradict(server: Server) -> None:
    station, client = await online(server, "Schneider Electric", "EVlink")
    samples = [
        {"value": value, "measurand": f"{kind}.Import", **({"phase": phase} if phase else {})}
        for kind in ("Power.Active", "Current")
        for phase, value in (("", "1"), ("L1", "10"), ("L2", "12"), ("N", "230"))
    ]
    samples.append({"value": "230", "measurand": "Voltage", "phase": "N"})
    payload = {"connectorId": 1, "meterValue": [{"timestamp": NOW, "sampledValue": samples}]}
    assert await client.ask(frame("m", "MeterValues", payload)) == [3, "m", {}]
    found = await rows(server, "SELECT power_w, current_a, samples FROM meter_values")
    assert [(power, current, orjson.loads(raw)) for power, current, raw in found] == [
        (22.0, 12.0, samples)
    ]
    await fired(server, station, "schneider-totals")


@pytest.mark.parametrize(
    "sample",
    [
        {"measurand": "Frequency", "unit": "Hz"},
        {"measurand": "Frequency", "unit": "Hertz"},
        {"measurand": "Temperature", "unit": "Celcius"},
        {"measurand": "Request.Energy"},
        {"measurand": "Power.Active.Import", "unit": "Power"},
    ],
)
async def test_unknown_words_do_not_cost_the_message(
    server: Server, sample: dict[str, str]
) -> None:
    _, client = await online(server, "Charge Amps", "HALO")
    assert await client.ask(meter_values("m", **sample)) == [3, "m", {}]
    ((samples,),) = await rows(server, "SELECT samples FROM meter_values")
    assert orjson.loads(samples) == [{"value": "100", **sample}]


async def test_legrand_reports_an_error_code_of_its_own(server: Server) -> None:
    _, client = await online(server, "Legrand", "Green Up")
    status = {"connectorId": 1, "errorCode": "Error", "status": "Available"}
    assert await client.ask(frame("s", "StatusNotification", status)) == [3, "s", {}]
    found = await rows(server, "SELECT status, error_code FROM connectors")
    assert found == [("Available", "Error")]


@pytest.mark.parametrize(
    "at",
    [
        "2022-02-29T12:00:00Z",
        "2026-05-01 14:00:00",
        "2026-05-01T14:00:00+02",
        "2026-05-01T20:00:00Z",
        "1970-01-01T00:00:12Z",
    ],
)
async def test_odd_times_do_not_cost_the_message(server: Server, at: str) -> None:
    _, client = await online(server, "ABB", "CDT_TACW11::NET_WIFI", "TAC3::V1.8.33")
    number = await started(client)
    assert await client.ask(meter_values("m", at, transaction_id=number)) == [3, "m", {}]
    assert len(await rows(server, "SELECT 1 FROM meter_values")) == 1


async def test_ocular_sends_its_tag_back_with_garbage(server: Server) -> None:
    _, client = await online(server, "Ocular", "BS AC EV Charger", "448.3251.0Q03197")
    tag = "BA86I250X5G6MOD5DLKD"
    number = await started(client, tag)
    stop = {
        "transactionId": number,
        "idTag": f"{tag}\x10\x0e",
        "meterStop": 1388,
        "timestamp": NOW,
        "reason": "EVDisconnected",
    }
    answer = await client.ask(frame("stop", "StopTransaction", stop))
    assert answer == [3, "stop", {"idTagInfo": {"status": "Accepted"}}]
    closing = meter_values("late", transaction_id=number, context="Transaction.End")
    assert await client.ask(closing) == [3, "late", {}]
    ended = await rows(server, "SELECT end_register_mwh, stop_reason FROM transactions")
    assert ended == [(1_388_000, "EVDisconnected")]
    of_it = "SELECT count(*) FROM meter_values WHERE transaction_id IS NOT NULL"
    assert await rows(server, of_it) == [(1,)]


async def decide(server: Server, tag: str, decision: Decision = Decision.ACCEPTED) -> None:
    shown, settings = ShownToken(tag), Settings(decision)
    await server.db.write(lambda tx: id_tokens.create(tx, shown, settings))


async def verdict(client: Client, tag: str) -> str:
    answer = await client.ask(frame(tag, "Authorize", {"idTag": tag}))
    return str(answer[2]["idTagInfo"]["status"])


async def test_keba_puts_a_serial_number_behind_a_tag(start: Start) -> None:
    server = await start(unknown_id_tokens=UnknownIdTokens.REFUSE)
    station, client = await online(server, "Keba AG", "KC-P30-EC2401B2-M0R", "1.12.0")
    await decide(server, "12345678")
    await decide(server, "87654321", Decision.BLOCKED)
    shown = ["12345678_dummy1", "87654321_dummy1", "11111111_dummy1"]
    assert [await verdict(client, tag) for tag in shown] == ["Accepted", "Blocked", "Invalid"]
    assert (await fired(server, station, "keba-tag-with-serial")).detail == "serial_appended"
    number = await started(client, "12345678_dummy1")
    stop = {"transactionId": number, "meterStop": 5, "timestamp": NOW, "idTag": shown[0]}
    answer = await client.ask(frame("stop", "StopTransaction", stop))
    assert answer == [3, "stop", {"idTagInfo": {"status": "Accepted"}}]


async def test_smart_evse_reads_six_bytes_of_seven(start: Start) -> None:
    server = await start(unknown_id_tokens=UnknownIdTokens.REFUSE)
    await decide(server, "04656B82EB2CDD")
    _, client = await online(server, "Stegen Electronics", "SmartEVSE")
    assert await verdict(client, "04656B82EB2C") == "Accepted"
    assert await verdict(client, "04656B82EB") == "Invalid"


async def test_ocular_starts_with_a_tag_that_has_garbage_behind(start: Start) -> None:
    server = await start(unknown_id_tokens=UnknownIdTokens.REFUSE)
    await decide(server, "BA86I250X5G6MOD5DLKD")
    _, client = await online(server, "Ocular", "BS AC EV Charger", "448.3251.0Q03197")
    assert await verdict(client, "BA86I250X5G6MOD5DLKD!}") == "Accepted"


async def test_a_station_may_be_told_to_spell_tags_in_its_own_way(start: Start) -> None:
    server = await start(unknown_id_tokens=UnknownIdTokens.REFUSE)
    await decide(server, "04A1B2C3D4E5F6")
    station, client = await server.online("S")
    assert await verdict(client, "F6:E5:D4:C3:B2:A1:04") == "Invalid"
    await override(server, station, tag_spellings=["reversed"])
    assert await verdict(client, "F6:E5:D4:C3:B2:A1:04") == "Accepted"


async def test_a_stop_is_answered_whatever_tag_it_shows(server: Server) -> None:
    _, client = await server.online("S")
    number = await started(client)
    for tag in ("X16WG99J2QIEGCC0MCJ5-", "HardReset", "", "\x00\x01"):
        stop = {"transactionId": number, "idTag": tag, "meterStop": 1, "timestamp": NOW}
        answer = await client.ask(frame(f"stop {tag!r}", "StopTransaction", stop))
        assert answer[0] == 3
        assert answer[2].get("idTagInfo", {"status": "Accepted"})["status"] == "Accepted"


async def test_a_tag_is_the_same_one_in_any_case(server: Server) -> None:
    _, client = await server.online("S")
    for number, tag in enumerate(("abcdef12", "ABCDEF12", " AbCdEf12 ", "abcdef12\x00")):
        asked = frame(str(number), "Authorize", {"idTag": tag})
        assert (await client.ask(asked))[2]["idTagInfo"]["status"] == "Accepted"
    assert await rows(server, "SELECT value FROM id_tokens") == [("abcdef12",)]


async def test_webasto_resends_its_meter_values_at_every_reconnect(server: Server) -> None:
    station, password = await server.register("S")
    for _ in range(3):
        client = await server.connect("S", password)
        await client.ask(boot("Webasto", "Live"))
        assert await client.ask(meter_values("same-uuid")) == [3, "same-uuid", {}]
        await client.close()
        await server.until(lambda: not server.hub.is_connected(station.id))
    assert len(await rows(server, "SELECT 1 FROM meter_values")) == 1


async def test_the_same_message_gets_the_same_answer(server: Server) -> None:
    station, client = await server.online("S")
    first = await started(client, message_id="7")
    assert await started(client, message_id="7") == first
    other = await client.ask(frame("7", "StatusNotification", STATUS))
    assert other == [3, "7", {}]
    assert len(await rows(server, "SELECT 1 FROM transactions")) == 1
    await fired(server, station, "repeated-message-id")


async def test_what_no_version_has_is_refused_and_nothing_more(server: Server) -> None:
    _, client = await server.online("S")
    assert (await client.ask('[2,"x","VendorThing",{}]'))[:3] == [4, "x", "NotImplemented"]
    transfer = {"vendorId": "com.example", "data": "x"}
    answer = await client.ask(frame("d", "DataTransfer", transfer))
    assert answer == [3, "d", {"status": "UnknownVendorId"}]
    assert (await client.ask(HEARTBEAT))[0] == 3


async def test_huawei_boots_with_an_empty_vendor(server: Server) -> None:
    station, client = await online(server, "", "ACChargePoint", "V100R023C10SPC220")
    assert (await client.ask(HEARTBEAT))[0] == 3
    assert (await rows(server, "SELECT vendor, model FROM stations"))[0] == ("", "ACChargePoint")
    known = {entry.id for entry in server.hub._links[station.id].context.quirks.entries}
    assert known == {"empty-vendor", "huawei-limits"}


async def test_ev_link_has_a_long_serial_number(server: Server) -> None:
    _, password = await server.register("S")
    client = await server.connect("S", password)
    payload = {
        "chargePointVendor": "Schneider Electric",
        "chargePointModel": "MONOBLOCK",
        "chargePointSerialNumber": "3N161010492G1S1B7551700014-and-more",
    }
    answer = await client.ask(frame("b", "BootNotification", payload))
    assert answer[2]["status"] == "Accepted"
    assert (await rows(server, "SELECT serial_number FROM stations"))[0] == (
        "3N161010492G1S1B7551700014-and-more",
    )


async def test_an_empty_token_starts_a_transaction(server: Server) -> None:
    _, password = await server.register("S")
    client = await server.connect("S", password, protocols=("ocpp2.0.1",))
    event = {
        "eventType": "Started",
        "timestamp": NOW,
        "triggerReason": "CablePluggedIn",
        "seqNo": 0,
        "transactionInfo": {"transactionId": "tx-1"},
        "evse": {"id": 1, "connectorId": 1},
        "idToken": {"idToken": "", "type": "NoAuthorization"},
    }
    answer = await client.ask(frame("t", "TransactionEvent", event))
    assert answer == [3, "t", {"idTokenInfo": {"status": "Accepted"}}]
    found = await rows(server, "SELECT station_transaction_id FROM transactions")
    assert found == [("tx-1",)]
