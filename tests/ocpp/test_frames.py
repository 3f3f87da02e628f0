from __future__ import annotations

import json
import string

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.ocpp import frames
from csms.ocpp.frames import (
    MAX_DEPTH,
    MAX_FRAME_BYTES,
    MAX_MESSAGE_ID,
    MAX_NODES,
    Call,
    CallError,
    CallResult,
    CallResultError,
    FrameError,
    Send,
)


def refused(data: bytes) -> FrameError:
    with pytest.raises(FrameError) as caught:
        frames.parse(data)
    return caught.value


def call_with(payload: str) -> bytes:
    return f'[2,"id","DataTransfer",{payload}]'.encode()


def test_the_five_message_types() -> None:
    assert frames.parse(b'[2,"1","Heartbeat",{}]') == Call("1", "Heartbeat", {})
    assert frames.parse(b'[3,"1",{"a":1}]') == CallResult("1", {"a": 1})
    assert frames.parse(b'[4,"1","GenericError","why",{"b":2}]') == CallError(
        "1", "GenericError", "why", {"b": 2}
    )
    assert frames.parse(b'[5,"1","GenericError","why",{}]') == CallResultError(
        "1", "GenericError", "why", {}
    )
    assert frames.parse(b'[6,"1","NotifyPeriodicEventStream",{}]') == Send(
        "1", "NotifyPeriodicEventStream", {}
    )


def test_white_space_and_surplus_elements_are_accepted() -> None:
    assert frames.parse(b' [ 2 , "1" ,\n"A" , { "x" : 1 } , {} ]\r\n') == Call("1", "A", {"x": 1})
    assert frames.parse(b'[3,"1",{},null]') == CallResult("1", {})


def test_a_grizzl_e_error_without_details_is_accepted() -> None:
    assert frames.parse(b'[4,"1","FormationViolation",""]') == CallError(
        "1", "FormationViolation", "", {}
    )


@pytest.mark.parametrize("rest", ["null", "7", '"c",7', '"c","d",[]', "{},{},{}"])
def test_the_texts_of_an_error_may_be_anything(rest: str) -> None:
    parsed = frames.parse(f'[4,"1",{rest}]'.encode())
    assert isinstance(parsed, CallError)
    assert parsed.details == {}


def test_the_texts_of_an_error_are_cut() -> None:
    parsed = frames.parse(f'[4,"1","{"c" * 999}","{"d" * 999}",{{}}]'.encode())
    assert isinstance(parsed, CallError)
    assert (len(parsed.error_code), len(parsed.description)) == (255, 255)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"{}",
        b"[]",
        b"null",
        b"2",
        b'"[2]"',
        b'[2,"1"]',
        b'[2,"1","Heartbeat"]',
        b'[2,"1",{},"Heartbeat"]',
        b'[2,"1",7,{}]',
        b'[2,"1","Heartbeat",[]]',
        b'[2,"1","Heartbeat",null]',
        b'[3,"1",[]]',
        b'[3,"1",null]',
        b'[2,"","Heartbeat",{}]',
        b'[2,1,"Heartbeat",{}]',
        b'[2,null,"Heartbeat",{}]',
        b'["2","1","Heartbeat",{}]',
        b'[true,"1","Heartbeat",{}]',
        b'[2.0,"1","Heartbeat",{}]',
        b'[2,"1","Heartbeat",{}',
        b'[2,"1","Heartbeat",{}]]',
        b'[2,"1","Heartbeat",{}][2,"1","Heartbeat",{}]',
        b'[2,"1","Heartbeat",{"a":NaN}]',
        b'[2,"1","Heartbeat",{"a":Infinity}]',
        b'[2,"1","Heartbeat",{"a":1e999}]',
        b'[2,"1","Heartbeat",{"a":-1e999}]',
        b'[2,"1","Heartbeat",{"a":01}]',
        b'[2,"1","Heartbeat",{"a":"\\ud800"}]',
        b'[2,"1","Heartbeat",{"a":"\\udc00\\ud800"}]',
        b'[2,"1","Heartbeat",{"a":"\xed\xa0\x80"}]',
        b'[2,"1","Heartbeat",{"a":"\xff"}]',
        b'[2,"1","Heartbeat",{"a":"\x00"}]',
        b'[2,"1","Heartbeat",{}]\x00',
        b'\xef\xbb\xbf[2,"1","Heartbeat",{}]',
        '[2,"1","Heartbeat",{}]'.encode("utf-16"),
        b"[" * 5000,
        b'{"a":' * 5000,
    ],
)
def test_what_is_no_frame_is_refused(data: bytes) -> None:
    refused(data)


def test_an_escaped_nul_and_a_pair_of_surrogates_are_text() -> None:
    parsed = frames.parse(call_with('{"a":"\\u0000","b":"\\ud83d\\ude00"}'))
    assert isinstance(parsed, Call)
    assert parsed.payload == {"a": "\x00", "b": "\U0001f600"}


def test_a_text_frame_that_is_not_utf_8_is_told_apart() -> None:
    assert not frames.is_utf8(b'[2,"1","A",{"a":"\xff"}]')
    assert not frames.is_utf8(b'[2,"1","A",{"a":"\xed\xa0\x80"}]')
    assert frames.is_utf8("[2,é".encode())


# ---- limits ----------------------------------------------------------------------------------


def test_the_size_limit_is_exact() -> None:
    filled = '{"a":"' + "x" * (MAX_FRAME_BYTES - len(call_with('{"a":""}'))) + '"}'
    assert isinstance(frames.parse(call_with(filled)), Call)
    error = refused(call_with(filled) + b" ")
    assert (error.message_type, error.message_id) == (2, "id")


def nested(levels: int, opening: str = "[", closing: str = "]") -> str:
    return '{"a":' + opening * levels + "0" + closing * levels + "}"


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"b":', "}")])
def test_the_depth_limit_is_exact(opening: str, closing: str) -> None:
    # The frame and its payload are two levels themselves.
    assert isinstance(frames.parse(call_with(nested(MAX_DEPTH - 2, opening, closing))), Call)
    assert "deep" in refused(call_with(nested(MAX_DEPTH - 1, opening, closing))).reason
    assert "deep" in refused(call_with(nested(1000, opening, closing))).reason


def test_many_brackets_are_not_depth() -> None:
    assert isinstance(frames.parse(call_with('{"a":[' + ",".join(["{}"] * 100) + "]}")), Call)
    assert isinstance(frames.parse(call_with('{"a":"' + "[{" * 100 + '"}')), Call)


def test_the_node_limit_is_exact() -> None:
    # Type, id, action, payload and the array are nodes too.
    fits = '{"a":[' + ",".join(["1"] * (MAX_NODES - 5)) + "]}"
    assert isinstance(frames.parse(call_with(fits)), Call)
    assert "too many" in refused(call_with(fits[:-2] + ",1]}")).reason


def test_a_report_of_1000_fully_described_variables_is_a_frame() -> None:
    attributes = [
        {
            "type": kind,
            "value": "230.1",
            "mutability": "ReadWrite",
            "persistent": True,
            "constant": False,
        }
        for kind in ("Actual", "Target", "MinSet", "MaxSet")
    ]
    entry = {
        "component": {"name": "Feed", "instance": "main", "evse": {"id": 1, "connectorId": 1}},
        "variable": {"name": "ACVoltage", "instance": "L1"},
        "variableAttribute": attributes,
        "variableCharacteristics": {
            "unit": "V",
            "dataType": "decimal",
            "minLimit": 0.0,
            "maxLimit": 400.0,
            "valuesList": "a,b",
            "supportsMonitoring": True,
        },
    }
    report = {"requestId": 1, "generatedAt": "t", "seqNo": 0, "reportData": [entry] * 1000}
    parsed = frames.parse(orjson.dumps([2, "id", "NotifyReport", report]))
    assert isinstance(parsed, Call)
    assert parsed.payload == report


@pytest.mark.parametrize(
    "number", [2**63 - 1, -(2**63), 2**53, 2**53 + 1, 0, -1, 1e18, 1e300, 230.10]
)
def test_numbers_within_64_bits_are_kept(number: float) -> None:
    parsed = frames.parse(call_with(f'{{"a":{json.dumps(number)}}}'))
    assert isinstance(parsed, Call)
    assert parsed.payload == {"a": number}


@pytest.mark.parametrize("digits", ["1" + "0" * 400, "-1" + "0" * 5000])
def test_integers_that_no_reader_takes_are_refused(digits: str) -> None:
    assert refused(call_with(f'{{"a":{digits}}}')).message_id == "id"


@pytest.mark.parametrize(
    "digits", [*map(str, [2**63, -(2**63) - 1, 2**64 - 1, 2**64, 10**19, 10**30, -(10**300)])]
)
@pytest.mark.parametrize("around", ["{}", " {} ", "[{}]", '{{"b":{}}}'])
def test_integers_beyond_64_bits_keep_their_digits(digits: str, around: str) -> None:
    parsed = frames.parse(call_with('{"a":' + around.format(digits) + ',"c":1.5}'))
    as_text = orjson.loads(around.format(f'"{digits}"'))
    assert parsed == Call("id", "DataTransfer", {"a": as_text, "c": 1.5})


def test_a_frame_with_a_long_integer_still_says_everything_once() -> None:
    assert "twice" in refused(call_with(f'{{"a":{2**63},"a":1}}')).reason


@pytest.mark.parametrize("text", [str(2**63), str(-(2**63) - 1), "9" * 5000])
def test_digits_that_had_no_room_are_told_from_other_text(text: str) -> None:
    assert frames.is_long_integer(text)
    assert not frames.is_long_integer(text + "x")


@pytest.mark.parametrize("value", [str(2**63 - 1), "0" * 18, "²" * 20, "--" + "1" * 20, 7, None])
def test_what_fits_or_is_no_number_is_no_long_integer(value: object) -> None:
    assert not frames.is_long_integer(value)


def test_long_digits_in_a_string_are_no_number() -> None:
    # An ICCID has 19 or 20 digits.
    parsed = frames.parse(call_with('{"iccid":"89310410106543789301"}'))
    assert isinstance(parsed, Call)
    spaced = frames.parse(call_with('{ "iccid" : "89310410106543789301" }'))
    assert isinstance(spaced, Call)


@pytest.mark.parametrize("length", [1, MAX_MESSAGE_ID])
def test_message_ids_of_legal_length(length: int) -> None:
    parsed = frames.parse(f'[2,"{"i" * length}","A",{{}}]'.encode())
    assert parsed.message_id == "i" * length


def test_a_message_id_that_is_too_long_is_refused() -> None:
    error = refused(f'[2,"{"i" * (MAX_MESSAGE_ID + 1)}","A",{{}}]'.encode())
    assert (error.message_id, error.message_type) == (None, 2)


# ---- duplicate keys --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "payload",
    [
        '{"a":1,"a":2}',
        '{"a":1,"a":1}',
        '{"a" :1,"a"\t:2}',
        '{"b":{"a":1,"a":2}}',
        '{"b":[{"a":1,"a":2}]}',
        '{"a":1,"b":[{}],"a":2}',
        '{"a":1,"\\u0061":2}',
        '{"a":1,"a":"\\u0022:"}',
        '{"a":1,"a":"\\u0022\\u0022\\u0022\\u0022"}',
        '{"a":1.50,"a":1000000000000000000000.0}',
        '{"":1,"":2}',
        '{"a":1e1,"a":2}',
    ],
)
def test_a_key_that_stands_twice_is_refused(payload: str) -> None:
    assert "twice" in refused(call_with(payload)).reason


def test_equal_keys_of_different_objects_are_fine() -> None:
    payload = '{"a":{"a":[{"a":1},{"a":1}]},"b":"\\"a\\":1","c":"a\\u0022:"}'
    assert isinstance(frames.parse(call_with(payload)), Call)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=20),
    lambda below: (
        st.lists(below, max_size=4)
        | st.dictionaries(st.text(string.printable, max_size=8), below, max_size=4)
    ),
    max_leaves=20,
)
payloads = st.dictionaries(st.text(string.printable, max_size=8), json_values, max_size=5)


@given(payloads, st.sampled_from([None, 1]), st.booleans())
def test_what_the_standard_writer_writes_is_read(
    payload: dict[str, object], indent: int | None, ascii_only: bool
) -> None:
    data = json.dumps([2, "id", "A", payload], indent=indent, ensure_ascii=ascii_only).encode()
    assert frames.parse(data) == Call("id", "A", payload)


@given(payloads, st.text(string.printable, min_size=1, max_size=8), st.booleans())
def test_a_repeated_key_is_always_found(
    payload: dict[str, object], key: str, ascii_only: bool
) -> None:
    inner = json.dumps({**payload, key: 1}, ensure_ascii=ascii_only)
    doubled = inner[:-1] + f", {json.dumps(key)}: {json.dumps(payload)}" + "}"
    assert "twice" in refused(call_with(doubled)).reason


@given(st.binary(max_size=200))
def test_any_bytes_are_a_frame_or_a_frame_error(data: bytes) -> None:
    try:
        frames.parse(data)
    except FrameError as error:
        assert len(error.reason) <= 255


@given(json_values, st.integers(0, 60))
def test_any_json_cut_anywhere_is_a_frame_or_a_frame_error(value: object, cut: int) -> None:
    data = orjson.dumps([2, "id", "Action", {"v": value}])
    try:
        frames.parse(data[:cut])
    except FrameError as error:
        assert error.message_id in {None, "id"}


# ---- salvage ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "message_type", "message_id"),
    [
        (b'[3,"abc",{"configurationKey":[]', 3, "abc"),
        (b'[2,"abc","Heartbeat",{', 2, "abc"),
        (b' [ 2 , "a\\"b" , "Heartbeat",{', 2, 'a"b'),
        (b'[2,"abc"', 2, "abc"),
        (b'[2,"abc"]', 2, "abc"),
        (b'[2,"abc","A",{"x":1e999}]', 2, "abc"),
        (b'[2,"abc', None, None),
        (b'[2,"\\ud800","A"', 2, None),
        (b'[2,17,"A"', None, None),
        (b'2,"abc"', None, None),
        (b'[22222,"abc"', None, None),
    ],
)
def test_the_id_at_the_front_of_a_broken_frame(
    data: bytes, message_type: int | None, message_id: str | None
) -> None:
    error = refused(data)
    assert (error.message_type, error.message_id) == (message_type, message_id)
    assert not error.unknown_type


@pytest.mark.parametrize("kind", [0, 1, 7, 99, -2, 10**15])
def test_an_unknown_message_type_is_told_apart(kind: int) -> None:
    error = refused(f'[{kind},"abc","A",{{}}]'.encode())
    assert error.unknown_type
    assert error.message_id == "abc"


def test_a_reason_never_repeats_what_was_sent() -> None:
    for data in (b'[2,"canary","canary",{"canary":1,"canary":2}]', b'[2,"canary","canary",{canary'):
        assert "canary" not in refused(data).reason


# ---- encoding --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "frame",
    [
        Call("1", "A", {"x": [1, "é"]}),
        CallResult("1", {}),
        CallError("1", "GenericError", "d", {"k": 1}),
        CallResultError("1", "GenericError", "d", {}),
        Send("1", "A", {}),
    ],
)
def test_what_is_encoded_is_parsed_back(frame: frames.Frame) -> None:
    assert frames.parse(frames.encode(frame)) == frame


def test_an_encoded_description_is_cut() -> None:
    encoded = frames.encode(CallError("1", "GenericError", "d" * 999, {}))
    assert len(orjson.loads(encoded)[3]) == 255


def test_the_fingerprint_tells_repetitions_from_new_messages() -> None:
    def fingerprint(data: bytes) -> int:
        parsed = frames.parse(data)
        assert isinstance(parsed, Call)
        return parsed.fingerprint

    assert fingerprint(b'[2,"1","A",{}]') == fingerprint(b'[2,"1","A",{}]')
    assert fingerprint(b'[2,"1","A",{}]') != fingerprint(b'[2,"1","A",{"a":1}]')
