"""What should use the server up: half-sent heads, bodies and TLS, deflate bombs, a duel of clones."""

from __future__ import annotations

import asyncio
import ssl
import time
import zlib
from contextlib import suppress
from pathlib import Path

import pytest

from csms.api.body import BODY_TIMEOUT_S
from tests.acceptance.processes import TOKEN, free_port
from tests.attacks.raw import FIN, PING, RSV1, TEXT, Raw, credentials, frame, knock, upgrade
from tests.attacks.witness import (
    AFTER_MIB,
    COMES_IN_WITHIN_S,
    Attacked,
    bystanders,
    register,
)
from tests.pki import Authority, client

HANDSHAKE_S = 2.0
# With all that others ask meanwhile; a station that is read without end takes all of it.
MOST_OF_THE_PROCESSOR = 0.4
# Above what the process took before, while it happens.
WHILE_MIB = 100
BOMB = 512 * 1024 * 1024


async def dribble(
    port: int, head: bytes, drop: bytes, *, tls: ssl.SSLContext | None = None
) -> float:
    """Send the head, then a byte now and then; how long that is borne."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head)
    with suppress(ConnectionError):
        while not reader.at_eof():
            writer.write(drop)
            with suppress(TimeoutError):
                await asyncio.wait_for(reader.read(1000), 0.2)
    writer.close()
    return time.monotonic() - began


async def many(number: int, *args: bytes, port: int) -> float:
    """That often at once; the longest."""
    head, drop = args
    return max(await asyncio.gather(*(dribble(port, head, drop) for _ in range(number))))


async def test_a_head_that_never_ends(hurried: Attacked) -> None:
    async with bystanders(hurried):
        for head in (b"", b"GET /ocpp/x HTTP/1.1\r\n", b"GET /api/v1/stations HTTP/1.1\r\nX: "):
            assert await many(100, head, b"a", port=hurried.port) < HANDSHAKE_S + 3


async def test_tls_that_never_ends(tmp_path: Path) -> None:
    authority, port = Authority(tmp_path), free_port()
    own = authority.server()
    server = Attacked(
        tmp_path / "server",
        dev=False,
        also=[f"127.0.0.1:{port},tls"],
        CSMS_LOG__LEVEL="warning",
        CSMS_OCPP__HANDSHAKE_TIMEOUT_S=str(HANDSHAKE_S),
        CSMS_TLS__CERTIFICATES=str(own.certificate),
        CSMS_TLS__KEYS=str(own.key),
    )
    server.start()
    try:
        async with bystanders(server):
            hello = _client_hello()
            for head in (b"", hello[:1], hello[:50]):
                assert await many(100, head, b"", port=port) < HANDSHAKE_S + 3
            # A whole hello, and nothing after it; then a whole handshake, and no head.
            assert await many(50, hello, b"", port=port) < HANDSHAKE_S + 3
            began = time.monotonic()
            reader, writer = await asyncio.open_connection("localhost", port, ssl=client(authority))
            assert b"" == await reader.read()
            assert time.monotonic() - began < HANDSHAKE_S + 3
            writer.close()
    finally:
        assert 0 == server.stop()


def _client_hello() -> bytes:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    end = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with suppress(ssl.SSLWantReadError):
        end.do_handshake()
    return outgoing.read()


@pytest.mark.campaign
async def test_a_body_that_never_ends(hurried: Attacked) -> None:
    lines = (
        *("POST /api/v1/stations HTTP/1.1", "Host: csms", f"Authorization: Bearer {TOKEN}"),
        *("Content-Type: application/json", "Content-Length: 100000", "", ""),
    )
    head = "\r\n".join(lines).encode()
    async with bystanders(hurried):
        longest = await many(100, head, b" ", port=hurried.port)
    # After the answer that it took too long, what still comes is read for a moment.
    assert BODY_TIMEOUT_S - 5 < longest < BODY_TIMEOUT_S + 20


def _bomb() -> bytes:
    press = zlib.compressobj(9, zlib.DEFLATED, -15)
    chunk = b" " * 2**20
    small = b"".join(press.compress(chunk) for _ in range(BOMB // len(chunk)))
    small += press.flush(zlib.Z_SYNC_FLUSH)
    return small[:-4]


async def test_two_hundred_deflate_bombs(hurried: Attacked) -> None:
    """Each unpacks to half a gibibyte; nobody unpacks more than may be sent at all."""
    bomb = frame(_bomb(), first=FIN | RSV1 | TEXT)
    stations = [register(hurried, "BOMB") for _ in range(50)]
    offer = "Sec-WebSocket-Extensions: permessage-deflate"
    before, most = hurried.memory_mib(), 0.0

    async def throw(number: int) -> int | None:
        raw = await Raw.open(hurried, stations[number], "2.0.1", offer)
        raw.write(bomb)
        _, closed = await raw.until(raw.send("Heartbeat", {}))
        await raw.close()
        return closed

    async with bystanders(hurried):
        for _ in range(4):
            assert {1009} == set(await asyncio.gather(*map(throw, range(50))))
            most = max(most, hurried.memory_mib())
    after = hurried.memory_mib()
    print(f"200 bombs of {len(bomb)} bytes: {most - before:+.1f} MiB, then {after - before:+.1f}")
    assert most - before < WHILE_MIB
    assert after - before < AFTER_MIB


NOISE = {
    "pings": frame(first=FIN | PING),
    "nothing": frame(),
    "no JSON": frame(b'[2,"x",'),
    "answers to nothing": frame(b'[3,"x",{}]'),
    "the same again": frame(b'[2,"x","DataTransfer",{"vendorId":"v"}]'),
    "keys that stand twice": frame(
        b'[2,"x","Heartbeat",{' + b",".join(b'"%d":0' % n for n in [*range(10_000), 0]) + b"}]"
    ),
}


@pytest.mark.campaign
@pytest.mark.parametrize("noise", NOISE)
async def test_a_station_that_sends_without_end(server: Attacked, noise: str) -> None:
    """What is no message costs as well: as much is read as the station may send."""
    seconds, sent, before = 10, 0, server.processor_s()
    chunk = NOISE[noise] * max(1, 2**16 // len(NOISE[noise]))
    # The worst of a hundred answers is as much the machine's as ours; so ours is looked at itself.
    async with bystanders(server, floor_s=COMES_IN_WITHIN_S):
        raw = await Raw.booted(server, register(server, "LOUD"), "2.0.1")
        read = asyncio.create_task(raw.read_on())
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    raw.write(chunk)
                    await raw.drain()
                    sent += len(chunk)
        raw.abort()
        await read
    share = (server.processor_s() - before) / seconds
    print(f"{noise}: {sent / 2**20 / seconds:.2f} MiB/s, {share:.0%} of the processor")
    assert share < MOST_OF_THE_PROCESSOR


async def test_a_duel_of_two_clones(server: Attacked) -> None:
    await duel(server, seconds=8)


@pytest.mark.campaign
@pytest.mark.timeout(300)
async def test_a_duel_of_two_clones_for_a_minute(server: Attacked) -> None:
    await duel(server, seconds=60)


async def duel(server: Attacked, *, seconds: float) -> None:
    """Both know the password, so both are the station: neither may cost the others anything."""
    twice = register(server, "CLONE")
    ends = asyncio.get_running_loop().time() + seconds
    entered, refused = [0, 0], [0, 0]

    async def fight(which: int) -> None:
        headers = [f"{name}: {value}" for name, value in credentials(twice).items()]
        source = f"127.0.0.{which + 11}"
        while asyncio.get_running_loop().time() < ends:
            request = upgrade(twice.identity, "1.6", *headers)
            answer = await knock(server.port, request, source=source)
            if answer.status == 101:
                entered[which] += 1
                with suppress(TimeoutError):
                    async with asyncio.timeout(max(0, ends - asyncio.get_running_loop().time())):
                        await Raw(answer, "1.6").until("thrown out")
            else:
                assert 503 == answer.status, answer.head
                assert b"Retry-After" in answer.head
                refused[which] += 1
                with suppress(TimeoutError):  # as often as an impatient station
                    await asyncio.wait_for(asyncio.Event().wait(), 0.2)
            answer.writer.close()

    async with bystanders(server):
        await asyncio.gather(fight(0), fight(1))
    print(f"{seconds} s: came in {entered} times, refused {refused} times")
    assert 2 < sum(entered) <= 8 * (1 + seconds / 60)
    assert sum(refused) > 0
