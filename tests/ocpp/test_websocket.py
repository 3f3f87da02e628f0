from __future__ import annotations

import asyncio
import struct
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.ocpp.bursts import Bursts
from csms.ocpp.websocket import MAX_AT_ONCE, MAX_MESSAGE_BYTES, Socket

TEXT, BINARY, CLOSE, PING, PONG, MORE, LAST = 0x81, 0x82, 0x88, 0x89, 0x8A, 0x01, 0x80


class FakeTransport:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.written = b""
        self.closed = self.paused = False

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


class Owner:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.texts: list[bytes] = []
        self.heard: list[str] = []
        self.hold_after = self.more = self.size = self.frames = 0
        self.socket: Socket

    def on_open(self) -> None:
        """Nothing has to be done."""

    def on_text(self, data: bytes) -> None:
        self.texts.append(data)
        if len(self.texts) == self.hold_after:
            self.socket.hold()

    def on_ping(self) -> None:
        self.heard.append("ping")

    def on_pong(self) -> None:
        self.heard.append("pong")

    def on_reading(self) -> float:
        return 7.0

    def on_read(self, size: int, count: int, began: float, *, is_more: bool) -> None:
        assert 7.0 == began
        self.size += size
        self.frames += count
        self.more += is_more

    def on_writing(self, *, stalled: bool) -> None:
        self.heard.append(f"stalled {stalled}")

    def on_violation(self, code: int, reason: str) -> None:
        self.heard.append(str(code))

    def on_lost(self) -> None:
        self.heard.append("lost")


def opened() -> tuple[Socket, FakeTransport, Owner]:
    transport, owner = FakeTransport(), Owner()
    socket = Socket(cast("Any", transport), Bursts(at_once=1))
    owner.socket = socket
    socket.start(owner)
    return socket, transport, owner


def frame(payload: bytes, first: int = TEXT, mask: bytes | None = b"\x01\x80\xff\x00") -> bytes:
    size, bit = len(payload), 0 if mask is None else 0x80
    if size < 126:
        head = struct.pack("!BB", first, bit | size)
    elif size < 2**16:
        head = struct.pack("!BBH", first, bit | 126, size)
    else:
        head = struct.pack("!BBQ", first, bit | 127, size)
    if mask is None:
        return head + payload
    masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))
    return head + mask + masked


@given(
    st.lists(
        st.one_of(st.binary(max_size=20), st.integers(100, 300).map(lambda n: b"x" * n)),
        max_size=MAX_AT_ONCE - 1,
    ),
    st.lists(st.integers(1, 40)),
    st.binary(min_size=4, max_size=4),
)
def test_messages_are_the_same_wherever_the_stream_is_cut(
    messages: list[bytes], cuts: list[int], mask: bytes
) -> None:
    socket, _, owner = opened()
    stream = b"".join(frame(message, mask=mask) for message in messages)
    for cut in cuts:
        socket.data_received(stream[:cut])
        stream = stream[cut:]
    socket.data_received(stream)
    assert owner.texts == messages
    assert owner.heard == []
    assert owner.size == sum(len(frame(message)) for message in messages)


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536, MAX_MESSAGE_BYTES])
def test_every_length_is_read_and_written(size: int) -> None:
    socket, transport, owner = opened()
    socket.data_received(frame(b"y" * size, mask=bytes(4)))
    assert owner.texts == [b"y" * size]
    assert socket.send(b"y" * size)
    assert transport.written == frame(b"y" * size, mask=None)


def test_fragments_are_one_message_and_control_frames_may_come_between() -> None:
    socket, transport, owner = opened()
    for piece in (frame(b"a", MORE), frame(b"p", PING), frame(b"b", 0), frame(b"c", LAST)):
        socket.data_received(piece)
    assert owner.texts == [b"abc"]
    assert owner.heard == ["ping"]
    assert transport.written == bytes((PONG, 1)) + b"p"


@pytest.mark.parametrize(
    ("stream", "code"),
    [
        (frame(b"a", 0xC1), 1002),
        (frame(b"a", LAST), 1002),
        (frame(b"a", MORE) + frame(b"b"), 1002),
        (frame(b"a", 0x83), 1002),
        (frame(b"a", 0x8B), 1002),
        (frame(b"a", 0x09), 1002),
        (frame(b"a" * 126, PING), 1002),
        (frame(b"\x03", CLOSE), 1002),
        (frame(b"a", mask=None), 1002),
        (frame(b"\x03\xed", CLOSE), 1002),
        (frame(b"a", BINARY), 1003),
        (struct.pack("!BBQ", TEXT, 0xFF, MAX_MESSAGE_BYTES + 1) + b"mask", 1009),
        (struct.pack("!BBQ", TEXT, 0xFF, 2**64 - 1) + b"mask", 1009),
        (frame(b"a" * MAX_MESSAGE_BYTES, MORE, bytes(4)) + frame(b"b", LAST), 1009),
    ],
)
def test_what_is_no_websocket_is_told_once_and_nothing_more_is_read(
    stream: bytes, code: int
) -> None:
    socket, _, owner = opened()
    socket.data_received(stream)
    socket.data_received(frame(b"more"))
    assert (owner.texts, owner.heard) == ([], [str(code)])


def test_what_comes_after_a_broken_frame_is_not_read_but_counts() -> None:
    socket, _, owner = opened()
    broken, more = frame(b"a", mask=None), frame(b"more")
    socket.data_received(broken + more)
    socket.data_received(more)
    assert (owner.texts, owner.size) == ([], len(broken + more + more))


def test_a_goodbye_is_answered_and_ends_it() -> None:
    socket, transport, owner = opened()
    socket.data_received(frame(b"\x03\xe9away", CLOSE) + frame(b"more"))
    assert transport.written == bytes((CLOSE, 2)) + b"\x03\xe9"
    assert transport.closed
    assert socket.close_code == 1001
    assert owner.texts == []
    assert not socket.send(b"late")


def test_after_our_goodbye_nothing_is_sent_and_theirs_is_not_answered() -> None:
    socket, transport, _ = opened()
    assert socket.close(1012, b"again")
    assert not socket.close(1000)
    assert not socket.send(b"late")
    socket.data_received(frame(b"", CLOSE))
    assert transport.written == bytes((CLOSE, 7)) + b"\x03\xf4again"
    assert transport.closed


def test_a_held_socket_gives_nothing_and_goes_on_where_it_stopped() -> None:
    socket, transport, owner = opened()
    owner.hold_after = 2
    socket.data_received(b"".join(frame(b"%d" % number) for number in range(4)))
    assert (owner.texts, transport.paused) == ([b"0", b"1"], True)
    socket.data_received(frame(b"4")[:3])
    socket.release()
    assert (owner.texts, transport.paused) == ([b"0", b"1", b"2", b"3"], False)
    socket.data_received(frame(b"4")[3:])
    assert owner.texts[-1] == b"4"


def test_of_many_frames_a_few_are_taken_before_others_get_a_turn() -> None:
    socket, transport, owner = opened()
    stream = frame(b"", PING) * (2 * MAX_AT_ONCE) + frame(b"last")
    socket.data_received(stream)
    for turn in (1, 2):
        assert (len(owner.heard), owner.more) == (turn * MAX_AT_ONCE, turn)
        assert transport.paused
        assert owner.texts == []
        socket.release()
    assert (owner.texts, owner.more) == ([b"last"], 2)
    assert not transport.paused
    assert (owner.size, owner.frames) == (len(stream), 2 * MAX_AT_ONCE + 1)


def test_a_reader_that_stalls_gets_no_pongs() -> None:
    socket, transport, owner = opened()
    socket.pause_writing()
    socket.data_received(frame(b"", PING))
    assert transport.written == b""
    socket.resume_writing()
    socket.connection_lost(None)
    assert owner.heard == ["stalled True", "ping", "stalled False", "lost"]
