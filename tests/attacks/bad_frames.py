"""Bad frames, each with the end that it must have, by the rules of OCPP-J of each version.

An end is `answer`, `ignored`, `error CODE` (with the frame's own message id; `-1 CODE` where the
frame has none that can be read) or `closed CODE`. `$ID` is a message id that was not used before.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from tests.attacks.raw import (
    BINARY,
    CLOSE,
    CONTINUATION,
    FIN,
    PING,
    PONG,
    RSV1,
    RSV2,
    RSV3,
    TEXT,
    frame,
)
from tests.ocpp.corpus.timestamps import CORPUS

Ends = tuple[str, str, str]
"""In 1.6, in 2.0.1, in 2.1."""

MIB = 1024 * 1024


@dataclass(frozen=True)
class Bad:
    """One of them."""

    name: str
    data: bytes
    """A text message, or with `is_raw` the bytes on the wire."""
    ends: Ends
    is_raw: bool = False

    def end(self, version: str) -> str:
        """Of this version."""
        return self.ends[("1.6", "2.0.1", "2.1").index(version)]


def _all(end: str) -> Ends:
    return end, end, end


ANSWERED, IGNORED = _all("answer"), _all("ignored")
# 1.6 has no word for a frame without an id that can be read; 2.x part 4, 4.2.3 has "-1".
UNREADABLE = ("ignored", "-1 RpcFrameworkError", "-1 RpcFrameworkError")
BROKEN = ("error FormationViolation", "error RpcFrameworkError", "error RpcFrameworkError")
# 1.6 4.1.3 and 2.1 part 4, 4.4 ignore them, 2.0.1 part 4, 4.4 does not.
UNKNOWN_TYPE = ("ignored", "error MessageTypeNotSupported", "ignored")
NOT_IMPLEMENTED, NOT_SUPPORTED = _all("error NotImplemented"), _all("error NotSupported")
WRONG_TYPE = _all("error TypeConstraintViolation")
INCOMPLETE = (
    "error ProtocolError",
    "error OccurrenceConstraintViolation",
    "error OccurrenceConstraintViolation",
)
TOO_BIG, PROTOCOL, NO_TEXT, BAD_TEXT = (
    _all("closed 1009"), _all("closed 1002"), _all("closed 1003"), _all("closed 1007"),
)  # fmt: skip


def everything() -> list[Bad]:
    """All of them."""
    families = (
        no_json, no_frame, no_id, no_type, too_much, twice, no_text, no_number, no_time,
        no_action, no_payload, no_question, strays, no_websocket,
    )  # fmt: skip
    return [bad for family in families for bad in family()]


def _texts(name: str, ends: Ends, *texts: str | bytes) -> Iterator[Bad]:
    for number, text in enumerate(texts):
        data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
        yield Bad(f"{name} {number}: {data[:60]!r}", data, ends)


def _call(action: str, payload: str) -> str:
    return f'[2,"$ID","{action}",{payload}]'


def no_json() -> Iterator[Bad]:
    """It cannot be parsed."""
    yield from _texts("nothing", IGNORED, "")  # some stations send empty ones
    yield from _texts(
        "no JSON", UNREADABLE,
        " ", "\n", "\t", "\x00", "\x00\x00\x00\x00", "x", "hello", "ping", "PING\r\n", "<xml/>", "[", "]",
        "[[", "{", "}", "{}}", "[,]", "[2", "[2,", '[2,"', '[2,"abc', "[2,abc]", "(2)", "'[]'", '"', '"\\',
        "GET / HTTP/1.1\r\n\r\n", "\ufeff", '\ufeff[2,"x","Heartbeat",{}]', "//", "/**/", "undefined",
        "NaN", "Infinity", "-Infinity", "None", "True", "01", "+1", ".5", "1.", "0x10", "1e", "-", "--1",
        '[2 "x"]', "[2;3]", "[2,'x','Heartbeat',{}]", "[2,`x`]", "\u202e[]", "2,3", "[\x01]", '[2,"\x01"]',
    )  # fmt: skip
    # What is cut off or wrong behind the id still names its CALL.
    yield from _texts(
        "cut off", BROKEN,
        '[2,"$ID"', '[2,"$ID",', '[2,"$ID","', '[2,"$ID","Heart', '[2,"$ID","Heartbeat"', '[2,"$ID","Heartbeat",',
        '[2,"$ID","Heartbeat",{', '[2,"$ID","Heartbeat",{}', '[2,"$ID","Heartbeat",{}]]', '[2,"$ID","Heartbeat",{}],',
        '[2,"$ID","Heartbeat",{}] x', '[2,"$ID","Heartbeat",{},]', '[2,"$ID","Heartbeat",{"a"}]',
        '[2,"$ID","Heartbeat",{"a":}]', '[2,"$ID","Heartbeat",{a:1}]', "[2,\"$ID\",'Heartbeat',{}]",
        '[2,"$ID","Heartbeat",{"a":1,}]', '[2,"$ID","Heartbeat",{"a":tru}]', '[2,"$ID","Heartbeat",{"a":"]',
        '[2,"$ID","Heartbeat",{"a":"\\x"}]', '[2,"$ID","Heartbeat",{"a":"\\u12"}]', '[2,"$ID","Heartbeat",{"a":01}]',
        '[2,"$ID","Heartbeat",{"a":NaN}]', '[2,"$ID","Heartbeat",{"a":Infinity}]', '[2,"$ID","Heartbeat",{"a":-}]',
        '[2,"$ID","Heartbeat",{"a":1e999}]'[:-3], '[2,"$ID","Heartbeat",{"a":0x1}]', '[2,"$ID","Heartbeat",{1:2}]',
        '[2,"$ID","Heartbeat",{}]\x00', '[2,"$ID","Heartbeat",{"a":"\x0a"}]', '[2,"$ID","Heartbeat",{}][2,"b","Heartbeat",{}]',
        ' \r\n\t[ 2 , "$ID" , "Heartbeat" ',
    )  # fmt: skip
    yield from _texts(
        "a cut off answer", IGNORED,
        '[3,"$ID"', '[3,"$ID",', '[3,"$ID",{', '[4,"$ID","Gene', '[4,"$ID","GenericError","', '[3,"$ID",{"status":"Acc',
    )  # fmt: skip


def no_frame() -> Iterator[Bad]:
    """It is JSON and no frame."""
    yield from _texts(
        "no array", UNREADABLE,
        "null", "true", "false", "0", "2", "-1", "1.5", "1e5", '""', '"x"', '"[2]"', "{}", '{"2":"x"}',
        '{"messageTypeId":2,"uniqueId":"x","action":"Heartbeat","payload":{}}', "[]", "[2]", "[null]", "[[]]",
        "[{}]", '["2"]', '["x","y"]', "[2,3]", "[null,null]", "[[],[]]",
    )  # fmt: skip
    yield from _texts("too short", BROKEN, '[2,"$ID"]', ' [2,"$ID"]', '[2,"$ID" ]')
    yield from _texts(
        "no payload", BROKEN,
        '[2,"$ID","Heartbeat"]', '[2,"$ID",{}]', '[2,"$ID",null]', '[2,"$ID",["Heartbeat"]]', '[2,"$ID",5,{}]',
        '[2,"$ID",null,{}]', '[2,"$ID",{},"Heartbeat"]', '[2,"$ID",true,{}]', '[2,"$ID",["Heartbeat"],{}]',
        '[2,"$ID","Heartbeat",null]', '[2,"$ID","Heartbeat",[]]', '[2,"$ID","Heartbeat",""]', '[2,"$ID","Heartbeat",0]',
        '[2,"$ID","Heartbeat","{}"]', '[2,"$ID","Heartbeat",true]', '[2,"$ID","Heartbeat",[{}]]', '[2,"$ID","Heartbeat",1.5]',
    )  # fmt: skip
    yield from _texts(
        "more than a payload", ANSWERED,
        '[2,"$ID","Heartbeat",{},{}]', '[2,"$ID","Heartbeat",{},null,1,"x"]', ' [ 2 , "$ID" ,\n"Heartbeat" , { } ] ',
    )  # fmt: skip


def no_id() -> Iterator[Bad]:
    """Its message id is none."""
    yield from _texts(
        "no id", UNREADABLE,
        *(
            f'[2,{one},"Heartbeat",{{}}]'
            for one in (
                "null", "true", "false", "0", "1", "-1", "1.5", "1e3", '""', "[]", "{}", '["x"]', '{"id":"x"}',
                '"' + "x" * 256 + '"', '"' + "x" * 5000 + '"', "99999999999999999999", '"' + "é" * 256 + '"',
            )
        ),
    )  # fmt: skip
    yield from _texts(
        "an odd id", ANSWERED,
        *(
            f'[2,"$ID{one}","Heartbeat",{{}}]'
            for one in (
                " ", "'", "\\u0000", "\\n", "\\r\\n", "\\u001b[2J", "\u202e", "é", "\U0001f50c", "\\\\", '\\"',
                "<script>", "' OR 1=1 --", "../..", "%00", "%s", "{0}", "-1", "x" * 30, "x" * 200,
            )
        ),
    )  # fmt: skip


def no_type() -> Iterator[Bad]:
    """Its message type is none."""
    yield from _texts(
        "unknown type", UNKNOWN_TYPE,
        *(f'[{one},"$ID","Heartbeat",{{}}]' for one in (0, 1, 7, 8, 9, 10, 99, 1000, -1, -2, 2**31, 2**63 - 1, -(2**63))),
    )  # fmt: skip
    named = ("ignored", "error RpcFrameworkError", "error RpcFrameworkError")
    yield from _texts(
        "no type", named,
        *(
            f'[{one},"$ID","Heartbeat",{{}}]'
            for one in ("null", "true", '"2"', "2.0", "2.5", "[]", "[2]", "{}", '"CALL"', "-0.0")
        ),
    )  # fmt: skip
    yield from _texts("no type", UNREADABLE, '[1e400,"$ID","Heartbeat",{}]')
    # 5 and 6 came with 2.1, where neither is ever answered.
    for kind in (
        '[5,"$ID","GenericError","",{}]',
        '[6,"$ID","Heartbeat",{}]',
        '[6,"$ID","Nope",{}]',
    ):
        yield from _texts("of 2.1", UNKNOWN_TYPE, kind)


def too_much() -> Iterator[Bad]:
    """Its size, its depth or its number of values."""
    for depth in (28, 30, 31):  # an array and an object are around it, and the last is empty
        yield from _texts(
            "deep", ANSWERED, _call("Heartbeat", '{"x":' + "[" * depth + "]" * depth + "}")
        )
    for depth in (32, 33, 40, 100, 1000, 100_000, 250_000):
        yield from _texts(
            "too deep", BROKEN, _call("Heartbeat", '{"x":' + "[" * depth + "]" * depth + "}")
        )
    for depth in (40, 1000, 50_000):
        text = '{"x":' * depth + "0" + "}" * depth
        yield from _texts("too deep in objects", BROKEN, _call("Heartbeat", text))
    for number in (70_000, 200_000, 500_000):
        yield from _texts("too many", BROKEN, _call("Heartbeat", '{"x":[' + "0," * number + "0]}"))
        if number < 100_000:
            keys = ",".join(f'"{n}":0' for n in range(number))
            yield from _texts("too many keys", BROKEN, _call("Heartbeat", "{" + keys + "}"))
    for size in (1000, 65_536, 900_000):
        yield from _texts("long", ANSWERED, _call("Heartbeat", '{"x":"' + "y" * size + '"}'))
        yield from _texts("a long name", NOT_IMPLEMENTED, _call("H" * size, "{}"))
    spaces = " " * 900_000
    yield from _texts("spaces", ANSWERED, f'{spaces}[2,"$ID","Heartbeat",{{}}]')
    frame_around = len(_call("Heartbeat", '{"x":""}'))  # an id has as many letters as $ID
    for under in (0, 1):
        text = "y" * (MIB - under - frame_around)
        yield from _texts("as big as can be", ANSWERED, _call("Heartbeat", f'{{"x":"{text}"}}'))
    for over in (1, 1000, MIB):
        yield from _texts("too big", TOO_BIG, b"x" * (MIB + over))


def twice() -> Iterator[Bad]:
    """A key stands twice in it, so that two readers could read two things."""
    yield from _texts(
        "twice", BROKEN,
        *(
            _call("DataTransfer", payload)
            for payload in (
                '{"vendorId":"a","vendorId":"b"}', '{"vendorId":"a","vendorId":"a"}', '{"vendorId":"a","data":1,"data":2}',
                '{"vendorId":"a","x":{"y":1,"y":2}}', '{"vendorId":"a","x":[{"y":1,"y":2}]}', '{"vendorId":"a","":1,"":2}',
                '{"vendorId":"a","vendor\\u0049d":"b"}', '{"\\u0076endorId":"a","vendorId":"b"}',
                '{"vendorId":"a", "vendorId" : null}', '{"vendorId":"a","x":{"y":{"z":1,"z":1}}}',
                '{"vendorId":"a","é":1,"\\u00e9":2}', '{"vendorId":"a","x":1,"y":2,"x":3}',
            )
        ),
    )  # fmt: skip
    yield from _texts(
        "nearly twice", ANSWERED,
        *(
            _call("DataTransfer", payload)
            for payload in (
                '{"vendorId":"a","VendorId":"b"}', '{"vendorId":"a","vendorId ":"b"}', '{"vendorId":"a","x":[{"y":1},{"y":2}]}',
                '{"vendorId":"a","é":1,"e\u0301":2}',
            )
        ),
    )  # fmt: skip


def no_text() -> Iterator[Bad]:
    """Its letters."""
    head, tail = b'[2,"$ID","Heartbeat",{"x":"', b'"}]'
    for bad in (
        b"\xff", b"\xfe", b"\x80", b"\xc0\x80", b"\xc3", b"\xe2\x82", b"\xed\xa0\x80", b"\xed\xbf\xbf",
        b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80", b"a\xffb", b"\xf0\x28\x8c\x28",
    ):  # fmt: skip
        yield from _texts("no UTF-8", BAD_TEXT, head + bad + tail)
    yield from _texts(
        "half a letter", BROKEN,
        *(_call("Heartbeat", f'{{"x":"{one}"}}') for one in ("\\ud800", "\\udfff", "a\\ud83d", "\\ude00\\ud83d", "\\ud83dx")),
        _call("Heartbeat", '{"\\ud800":1}'),
    )  # fmt: skip
    yield from _texts(
        "odd letters", ANSWERED,
        *(
            _call("Heartbeat", f'{{"x":"{one}"}}')
            for one in (
                "\\u0000", "a\\u0000b", "\\u001b[31m", "\\r\\n", "\\u2028", "\u202e", "\u200b", "\ufeff", "\uffff", "\U0010ffff",
                "\\ud83d\\udd0c", "\u0301" * 500, "\x7f", "<img src=x onerror=alert(1)>", "=cmd|' /C calc'!A0",
                "${jndi:ldap://x}", "{{7*7}}", "%n%n%n", "'; DROP TABLE stations; --", "../../etc/passwd",
            )
        ),
    )  # fmt: skip


def no_number() -> Iterator[Bad]:
    """Its numbers."""
    yield from _texts(
        "odd numbers", ANSWERED,
        *(
            _call("Heartbeat", f'{{"x":{one}}}')
            for one in (
                2**31, -(2**31) - 1, 2**53, 2**53 + 1, 2**63 - 1, -(2**63), 2**63, 2**64 - 1, 2**64, 10**30, -(10**30),
                10**300, "-0", "-0.0", "5e-324", "1e308", "0.1", "1e-400", "1.0E+2", "0." + "1" * 2000,
            )
        ),
    )  # fmt: skip
    yield from _texts(
        "no numbers", BROKEN,
        *(_call("Heartbeat", f'{{"x":{one}}}') for one in ("1e999", "-1e999", "9" * 400, "9" * 5000, "00", "1_000", "1,5.2", "+1", "1e+", "Infinity", "٣")),
    )  # fmt: skip
    for number in ("-1", str(2**31), str(2**64), "1.5", '"1"', "null", "[]", "true"):
        call = _call("MeterValues", f'{{"connectorId":{number},"evseId":{number},"meterValue":[]}}')
        yield from _texts("no connector", ANSWERED, call)


def no_time() -> Iterator[Bad]:
    """Its time. What is lost of a status is lost for ever, so it is stored and answered."""
    for number, (at, _, _) in enumerate(CORPUS):
        payload = {
            "connectorId": 1,
            "evseId": 1,
            "errorCode": "NoError",
            "status": "Available",
            "connectorStatus": "Available",
            "timestamp": at,
        }
        text = _call("StatusNotification", json.dumps(payload))
        yield Bad(f"time {number}: {at!r}", text.encode(), ANSWERED)


def no_action() -> Iterator[Bad]:
    """Its action: names are case-sensitive, and some are the CSMS's own."""
    yield from _texts(
        "no action", NOT_IMPLEMENTED,
        *(
            _call(name, "{}")
            for name in (
                "", " ", "heartbeat", "HEARTBEAT", "HeartBeat", "Heartbeat ", " Heartbeat", "Heartbeat\\n", "Heartbeat\\u0000",
                "HeartbeatRequest", "Heartbeat.req", "Nope", "__class__", "constructor", "../Heartbeat", "H\u0435artbeat", "*",
                "ocpp:Heartbeat", "<b>", "'; --", "2", "null", "x" * 51,
            )
        ),
    )  # fmt: skip
    yield from _texts(
        "ours to ask", NOT_SUPPORTED,
        *(_call(name, "{}") for name in ("Reset", "TriggerMessage", "UnlockConnector", "ClearCache", "SendLocalList", "ReserveNow")),
    )  # fmt: skip
    newer = ("error NotImplemented", "error NotSupported", "error NotSupported")
    yield from _texts(
        "ours in 2.x",
        newer,
        *(_call(name, "{}") for name in ("GetVariables", "SetVariables", "GetBaseReport")),
    )
    elder = ("error NotSupported", "error NotImplemented", "error NotImplemented")
    yield from _texts(
        "ours in 1.6",
        elder,
        *(_call(name, "{}") for name in ("ChangeConfiguration", "RemoteStartTransaction")),
    )


def no_payload() -> Iterator[Bad]:
    """What tells us something is stored with what is right in it, and answered."""
    flaws = (
        "{}",
        '{"x":1}',
        '{"status":5}',
        '{"timestamp":{}}',
        '{"connectorId":"x","evseId":"x"}',
        '{"customData":5}',
    )
    for action in ("Heartbeat", "StatusNotification", "MeterValues", "FirmwareStatusNotification"):
        yield from _texts("flawed", ANSWERED, *(_call(action, flaw) for flaw in flaws))
    yield from _texts(
        "a flawed boot", ANSWERED,
        *(
            _call("BootNotification", flaw)
            for flaw in (
                "{}", '{"chargePointVendor":5}', '{"chargingStation":5}', '{"chargingStation":[]}', '{"reason":"Nope"}',
                '{"chargePointVendor":"' + "x" * 60_000 + '"}', '{"chargingStation":{"vendorName":null,"model":[]}}',
            )
        ),
    )  # fmt: skip


def no_question() -> Iterator[Bad]:
    """What asks us to decide something needs the thing that it asks about."""
    yield from _texts(
        "nothing is asked", INCOMPLETE,
        _call("DataTransfer", "{}"), _call("DataTransfer", '{"data":"x"}'), _call("DataTransfer", '{"messageId":"x"}'),
        _call("Authorize", "{}"),
    )  # fmt: skip
    yield from _texts(
        "nothing that can be asked", WRONG_TYPE,
        *(_call("DataTransfer", f'{{"vendorId":{one}}}') for one in ("null", "5", "true", "[]", "{}", "1.5")),
    )  # fmt: skip
    yield from _texts(
        "an unknown vendor", ANSWERED, _call("DataTransfer", '{"vendorId":"' + "x" * 300 + '"}')
    )
    # More than 64 bits are kept as their digits, and those are a text.
    yield from _texts(
        "a vendor that is a number", ANSWERED, _call("DataTransfer", f'{{"vendorId":{2**70}}}')
    )


def strays() -> Iterator[Bad]:
    """Answers that nobody waits for; an answer is never answered."""
    yield from _texts(
        "stray", IGNORED,
        '[3,"$ID",{}]', '[3,"$ID",{"status":"Accepted"}]', '[3,"$ID",{"a":1},{"b":2}]', '[4,"$ID","GenericError","",{}]',
        '[4,"$ID","Nope","x",{}]', '[4,"$ID","GenericError"]', '[4,"$ID",5,5,5]', '[4,"$ID",null,null,null]', '[4,"$ID",{}]',
        '[3,"$ID",null]', '[3,"$ID",[]]', '[3,"$ID","Accepted"]', '[3,"$ID",5]', '[3,"-1",{}]', '[4,"-1","GenericError","",{}]',
        '[4,"$ID","' + "x" * 10_000 + '","' + "y" * 10_000 + '",{}]', '[3,"$ID",{"x":1,"x":2}]', '[3,"$ID",{"x":1e999}]',
        '[3,"$ID",{"x":' + "[" * 100 + "]" * 100 + "}]", '[4,"$ID","' + "\\u0000" * 10 + '","",{}]',
    )  # fmt: skip


def no_websocket() -> Iterator[Bad]:
    """What RFC 6455 does not allow, on the wire."""
    call = b'[2,"$ID","Heartbeat",{}]'
    half = frame(b'[2,"$ID",', first=TEXT)
    for name, ends, data in (
        ("binary", NO_TEXT, frame(call, first=FIN | BINARY)),
        ("binary in parts", NO_TEXT, frame(call, first=BINARY)),
        ("an empty binary", NO_TEXT, frame(first=FIN | BINARY)),
        ("rsv2", PROTOCOL, frame(call, first=FIN | RSV2 | TEXT)),
        ("rsv3", PROTOCOL, frame(call, first=FIN | RSV3 | TEXT)),
        ("rsv1 that was not agreed on", PROTOCOL, frame(call, first=FIN | RSV1 | TEXT)),
        ("all of rsv", PROTOCOL, frame(call, first=0xF1)),
        ("compressed that was not agreed on", PROTOCOL, frame(zlib.compress(call), first=0xC1)),
        ("rsv1 on a ping", PROTOCOL, frame(first=FIN | RSV1 | PING)),
        *((f"opcode {one:#x}", PROTOCOL, frame(call, first=FIN | one)) for one in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)),
        ("nothing to continue", PROTOCOL, frame(call, first=FIN | CONTINUATION)),
        ("nothing to go on continuing", PROTOCOL, frame(call, first=CONTINUATION)),
        ("a new one within one", PROTOCOL, half + frame(call)),
        ("a long ping", PROTOCOL, frame(b"x" * 126, first=FIN | PING)),
        ("a very long pong", PROTOCOL, frame(b"x" * 70_000, first=FIN | PONG)),
        ("a ping in parts", PROTOCOL, frame(b"x", first=PING)),
        ("a close in parts", PROTOCOL, frame(b"\x03\xe8", first=CLOSE)),
        ("a long close", PROTOCOL, frame(b"\x03\xe8" + b"x" * 130, first=FIN | CLOSE)),
        *((f"close code {one}", PROTOCOL, frame(one.to_bytes(2, "big"), first=FIN | CLOSE)) for one in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65535)),
        ("half a close code", PROTOCOL, frame(b"\x03", first=FIN | CLOSE)),
        *((f"goodbye {one}", _all(f"closed {one}"), frame(one.to_bytes(2, "big"), first=FIN | CLOSE)) for one in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 3000, 4999)),
        ("goodbye without a word", _all("closed 1005"), frame(first=FIN | CLOSE)),
        *((f"says it has {one} bytes", TOO_BIG, frame(declared=one)) for one in (MIB + 1, 2**31, 2**32, 2**40, 2**62, 2**63, 2**64 - 1)),
        ("too big in parts", TOO_BIG, frame(b"x" * MIB, first=TEXT) + frame(b"x", first=FIN)),
        ("too big in many parts", TOO_BIG, frame(first=TEXT) + frame(b"x" * 50_000, first=0) * 22),
        ("a ping that lies", TOO_BIG, frame(first=FIN | PING, declared=2**40)),
        ("not masked", PROTOCOL, frame(call, masked=False)),
        ("in two parts", ANSWERED, half + frame(b'"Heartbeat",{}]', first=FIN)),
        ("with a ping in between", ANSWERED, half + frame(first=FIN | PING) + frame(b'"Heartbeat",{}]', first=FIN)),
        ("in ten thousand parts", ANSWERED, half + frame(first=0) * 10_000 + frame(b'"Heartbeat",{}]', first=FIN)),
        ("after a pong that nobody asked for", ANSWERED, frame(b"x", first=FIN | PONG) + frame(call)),
        ("after a thousand pings", ANSWERED, frame(b"x" * 125, first=FIN | PING) * 1000 + frame(call)),
        ("no UTF-8 in parts", BAD_TEXT, frame(b"\xe2\x82", first=TEXT) + frame(b"\x28", first=FIN)),
        ("a letter in two parts", ANSWERED, frame(b'[2,"$ID","Heartbeat",{"x":"\xe2', first=TEXT) + frame(b'\x82\xac"}]', first=FIN)),
        ("empty in parts", IGNORED, frame(first=TEXT) + frame(first=FIN)),
    ):  # fmt: skip
        yield Bad(name, data, ends, is_raw=True)
