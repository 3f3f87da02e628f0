"""permessage-deflate: what is agreed on, what is read and written, and what is too much."""

from __future__ import annotations

import zlib
from typing import Any, cast

import orjson
import pytest
import websockets
from hypothesis import given
from hypothesis import strategies as st

from csms.domain.versions import OcppVersion
from csms.ocpp.bursts import Bursts
from csms.ocpp.deflate import MIN_BYTES, Garbled, Terms, TooLarge, agree, inflate
from csms.ocpp.frames import JsonObject
from csms.ocpp.websocket import MAX_MESSAGE_BYTES, Socket
from csms.services import quirks
from tests.ocpp.conftest import Server, Start, basic
from tests.ocpp.test_websocket import LAST, MORE, PING, TEXT, FakeTransport, Owner, frame

RSV1 = 0x40
FORGETFUL = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
BOOT = (
    '[2,"b","BootNotification",{"reason":"PowerUp",'
    '"chargingStation":{"vendorName":"V","model":"M"},"customData":{"vendorId":"%s"}}]'
)


def pressed(data: bytes, bits: int = 15) -> bytes:
    press = zlib.compressobj(wbits=-bits)
    return (press.compress(data) + press.flush(zlib.Z_SYNC_FLUSH))[:-4]


def opened() -> tuple[Socket, FakeTransport, Owner]:
    transport, owner = FakeTransport(), Owner()
    socket = Socket(cast("Any", transport), Bursts(at_once=1), Terms())
    owner.socket = socket
    socket.start(owner)
    return socket, transport, owner


@pytest.mark.parametrize(
    ("offers", "answer"),
    [
        ("permessage-deflate", FORGETFUL),
        ("Permessage-Deflate; client_max_window_bits", FORGETFUL),
        (
            "permessage-deflate; client_max_window_bits=10",
            FORGETFUL + "; client_max_window_bits=10",
        ),
        (
            'permessage-deflate; server_max_window_bits="9"',
            FORGETFUL + "; server_max_window_bits=9",
        ),
        (
            "permessage-deflate; server_max_window_bits=15",
            FORGETFUL + "; server_max_window_bits=12",
        ),
        (
            "permessage-deflate; server_max_window_bits=8, permessage-deflate",
            FORGETFUL,
        ),
        (FORGETFUL, FORGETFUL),
        ("x-webkit-deflate-frame, permessage-deflate", FORGETFUL),
    ],
)
def test_the_first_offer_that_can_be_kept_is_taken(offers: str, answer: str) -> None:
    terms = agree(offers)
    assert terms is not None
    assert answer == terms.header


@pytest.mark.parametrize(
    "offer",
    [
        "",
        "x-webkit-deflate-frame",
        "permessage-deflate; unheard_of",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=8",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; client_max_window_bits=010",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; client_max_window_bits; client_max_window_bits=9",
    ],
)
def test_what_the_standard_forbids_is_declined(offer: str) -> None:
    assert agree(offer) is None


@given(st.binary(max_size=3000), st.integers(9, 15))
def test_what_one_end_compresses_the_other_reads(data: bytes, bits: int) -> None:
    assert data == inflate(pressed(data, bits), MAX_MESSAGE_BYTES)
    small = Terms(min(bits, 12)).deflate(data)
    if small is not None:
        assert len(small) < len(data)
        assert data == zlib.decompressobj(-bits).decompress(small + b"\0\0\xff\xff")


def test_short_and_dense_messages_stay_as_they_are() -> None:
    assert Terms().deflate(b"x" * (MIN_BYTES - 1)) is None
    assert Terms().deflate(bytes(range(256))) is None


def test_no_more_than_the_limit_is_unpacked() -> None:
    assert b"x" * 100 == inflate(pressed(b"x" * 100), 100)
    with pytest.raises(TooLarge):
        inflate(pressed(b"x" * 101), 100)
    with pytest.raises(Garbled):
        inflate(b"\xff\xff\xff", 100)


def test_what_is_compressed_counts_as_large_as_it_is() -> None:
    socket, _, owner = opened()
    small = frame(pressed(b"a" * 100_000), TEXT | RSV1)
    socket.data_received(small)
    assert 100_000 + len(small) == owner.size
    socket.data_received(frame(pressed(b"a" * (MAX_MESSAGE_BYTES + 1)), TEXT | RSV1))
    assert owner.heard == ["1009"]
    assert owner.size > 100_000 + MAX_MESSAGE_BYTES


def test_messages_come_compressed_plain_and_in_fragments() -> None:
    socket, transport, owner = opened()
    small = pressed(b"a" * 1000)
    for piece in (
        frame(small, TEXT | RSV1),
        frame(b"plain"),
        frame(small[:3], MORE | RSV1),
        frame(b"", PING),
        frame(small[3:], LAST),
        frame(b"b", MORE),
        frame(b"c", LAST),
    ):
        socket.data_received(piece)
    assert [b"a" * 1000, b"plain", b"a" * 1000, b"bc"] == owner.texts
    assert ["ping"] == owner.heard
    transport.written = b""
    assert socket.send(b"short")
    assert frame(b"short", mask=None) == transport.written
    transport.written = b""
    assert socket.send(b"d" * 1000)
    assert TEXT | RSV1 == transport.written[0]
    assert b"d" * 1000 == inflate(transport.written[2:], 1000)


@pytest.mark.parametrize(
    ("stream", "code"),
    [
        (frame(pressed(bytes(MAX_MESSAGE_BYTES + 1)), TEXT | RSV1), "1009"),
        (frame(pressed(bytes(2**28)), TEXT | RSV1), "1009"),
        (frame(b"\xff\xff\xff", TEXT | RSV1), "1007"),
        (frame(b"", PING | RSV1), "1002"),
        (frame(b"a", MORE) + frame(b"b", LAST | RSV1), "1002"),
        (frame(b"a", TEXT | 0x20), "1002"),
    ],
)
def test_bombs_and_nonsense_end_the_connection(stream: bytes, code: str) -> None:
    socket, _, owner = opened()
    socket.data_received(stream)
    assert ([], [code]) == (owner.texts, owner.heard)


async def dial(server: Server, version: OcppVersion, password: str) -> websockets.ClientConnection:
    return await websockets.connect(
        server.url("/ocpp/S", "ws"),
        subprotocols=[cast("Any", version.subprotocol)],
        additional_headers={"Authorization": basic("S", password)},
    )


@pytest.mark.parametrize("version", [OcppVersion.V201, OcppVersion.V21])
async def test_an_independent_client_that_offers_it_gets_it(
    start: Start, version: OcppVersion
) -> None:
    async def answer(station: Any, payload: JsonObject) -> JsonObject:
        return {"echo": payload["customData"]["vendorId"]}

    server = await start({(version, "BootNotification"): answer})
    _, password = await server.register("S")
    async with await dial(server, version, password) as client:
        assert client.response is not None
        assert FORGETFUL == client.response.headers["Sec-WebSocket-Extensions"]
        for number in range(3):
            words = str(number) * 20_000
            await client.send(BOOT % words)
            assert [3, "b", {"echo": words}] == orjson.loads(await client.recv())


async def test_1_6_strangers_and_whoever_cannot_bear_it_get_none(server: Server) -> None:
    station, password = await server.register("S")
    async with await dial(server, OcppVersion.V16, password) as client:
        assert client.response is not None
        assert "Sec-WebSocket-Extensions" not in client.response.headers
    async with websockets.connect(
        server.url("/ocpp/NEW", "ws"), subprotocols=[cast("Any", "ocpp2.0.1")]
    ) as held:
        assert held.response is not None
        assert "Sec-WebSocket-Extensions" not in held.response.headers
    await server.db.write(lambda tx: quirks.override(tx, station.id, {"compression": False}))
    async with await dial(server, OcppVersion.V201, password) as client:
        assert client.response is not None
        assert "Sec-WebSocket-Extensions" not in client.response.headers
