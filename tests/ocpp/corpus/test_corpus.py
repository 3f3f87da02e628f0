"""Whatever is wrong with a message, it ends in one of: answer, CALLERROR, ignore, close.

Nothing raises, nothing is logged as an error, and all that can be read afterwards can be read. A
slice runs always; the campaign runs every case. New handlers are picked up by themselves.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from structlog.testing import capture_logs

from csms.domain.stations import Station
from csms.domain.versions import OcppVersion
from csms.ocpp import schemas
from csms.ocpp.actions import HANDLERS
from csms.ocpp.directions import FROM_STATION
from csms.ocpp.frames import FrameError, parse
from csms.ocpp.router import QUESTIONS, answer_to_broken
from tests.ocpp.conftest import Client, Server, Start
from tests.ocpp.corpus.conftest import errors_of
from tests.ocpp.corpus.mutations import Case, frame_cases, payload_cases
from tests.ocpp.corpus.payloads import full, least
from tests.ocpp.corpus.reading import read_all
from tests.ocpp.corpus.timestamps import CORPUS, NOW

if TYPE_CHECKING:
    from tests.api.conftest import Api

V16, V201, V21 = OcppVersion.V16, OcppVersion.V201, OcppVersion.V21
SERVED = sorted(HANDLERS, key=lambda key: (key[0].value, key[1]))
SENDS = {"NotifyPeriodicEventStream"}
# Of the cases of one action, so many run in the slice.
SLICE = 45
# What a station may send is not what is looked at here.
UNHURRIED: dict[str, Any] = {"messages_per_s": 1e6, "messages_burst": 10**6}
STATIONS = 4
PIPELINE = 20

every_action = pytest.mark.parametrize(
    ("version", "action"), SERVED, ids=[f"{version.value}-{action}" for version, action in SERVED]
)


def cases(version: OcppVersion, action: str) -> list[Case]:
    return [*payload_cases(version, action), *frame_cases(version, action)]


def part_of(found: list[Case]) -> list[Case]:
    """The slice: the same ones each time, spread over all kinds."""
    step = max(1, len(found) // SLICE)
    offset = zlib.crc32(found[len(found) // 2].name.encode()) % step
    return [*found[:2], *found[offset::step]]


def frame_of(action: str, case: Case, message_id: str) -> bytes:
    kind = b"6" if action in SENDS else b"2"
    head = b"[" + kind + b',"' + message_id.encode() + b'",'
    if case.is_frame:
        return head + case.data + b"]"
    return head + orjson.dumps(action) + b"," + case.data + b"]"


def expected_answers(version: OcppVersion, data: bytes) -> int:
    """How many frames must come back, by the rules of the version."""
    try:
        frame = parse(data)
    except FrameError as error:
        return int(answer_to_broken(version, error) is not None)
    return int(type(frame).__name__ == "Call")


def check(version: OcppVersion, action: str, case: Case, answer: list[Any]) -> None:
    if answer[0] == 3:
        wrong = schemas.breaches(version, action, "response", answer[2])
        assert not wrong, (case.name, answer, wrong)
    else:
        assert answer[0] == 4, (case.name, answer)
        assert len(answer) == 5, (case.name, answer)
        assert answer[2] in schemas.error_codes(version), (case.name, answer)
        assert answer[2] != "InternalError", (case.name, answer)
        assert len(answer[3]) <= 255
        assert answer[4] == {}


class Talk:
    """One station that sends cases and checks what comes back."""

    def __init__(self, client: Client, version: OcppVersion, action: str) -> None:
        self.client = client
        self.version = version
        self.action = action
        self.answered: dict[str, list[Any]] = {}

    async def run(self, found: list[Case]) -> None:
        for start in range(0, len(found), PIPELINE):
            await self._batch(start, found[start : start + PIPELINE])

    async def _batch(self, start: int, batch: list[Case]) -> None:
        by_id = {f"c{start + number}": case for number, case in enumerate(batch)}
        expected = 0
        for message_id, case in by_id.items():
            data = frame_of(self.action, case, message_id)
            expected += expected_answers(self.version, data)
            await self.client.send(data)
        end = f"end{start}"
        await self.client.send(orjson.dumps([2, end, "Heartbeat", {}]))
        came: list[Any] = []
        while not came or came[-1][1] != end:
            came.append(await self.client.receive())
        answers = came[:-1]
        ids = [answer[1] for answer in answers if answer[1] != "-1"]
        assert len(ids) == len(set(ids)), "a message was answered twice"
        assert len(answers) == expected, [case.name for case in batch]
        for answer in answers:
            if answer[1] != "-1":
                case = by_id[answer[1]]
                check(self.version, self.action, case, answer)
                if not case.is_frame:
                    self.answered[case.name] = answer


async def talk(
    server: Server, version: OcppVersion, action: str, found: Iterable[Case]
) -> tuple[list[Station], dict[str, list[Any]]]:
    """Several stations send the cases at once, so that commits are shared."""
    found = list(found)
    stations, talks = [], []
    for number in range(STATIONS):
        station, password = await server.register(f"S{number}")
        client = await server.connect(f"S{number}", password, protocols=(f"ocpp{version.value}",))
        stations.append(station)
        talks.append(Talk(client, version, action))
    await asyncio.gather(*(one.run(found[number::STATIONS]) for number, one in enumerate(talks)))
    answered: dict[str, list[Any]] = {}
    for one in talks:
        answered.update(one.answered)
    return stations, answered


async def run(
    start: Start, api: Api, version: OcppVersion, action: str, found: list[Case], **settings: Any
) -> dict[str, list[Any]]:
    failures: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: failures.append(told))
    with capture_logs() as entries:
        server = await start(**UNHURRIED, **settings)
        stations, answered = await talk(server, version, action, found)
        await server.log.flush()
        await server.lint.flush()
        await read_all(server.db, api, stations, server.clock.now())
    assert errors_of(entries) == []
    if not settings.get("strict"):
        refused = [name for name, answer in answered.items() if answer[0] == 4]
        assert refused == [] or action in QUESTIONS, "a lenient server takes what it is told"
    assert failures == []
    return answered


# ---- the slice -------------------------------------------------------------------------------


@every_action
async def test_a_slice_of_what_can_be_wrong(
    start: Start, api: Api, version: OcppVersion, action: str
) -> None:
    found = part_of(cases(version, action))
    answered = await run(start, api, version, action, found)
    if action not in SENDS:
        for name in ("full", "least"):
            assert answered[name][0] == 3, (name, answered[name])


@pytest.mark.parametrize("version", list(OcppVersion), ids=lambda version: version.value)
async def test_a_strict_server_refuses_exactly_what_breaks_the_schema(
    start: Start, api: Api, version: OcppVersion
) -> None:
    for_all = {action: part_of(list(payload_cases(version, action)))[:12]
               for served, action in SERVED if served is version and action not in SENDS}  # fmt: skip
    server = await start(**UNHURRIED, strict=True)
    station, password = await server.register("S")
    client = await server.connect("S", password, protocols=(f"ocpp{version.value}",))
    for action, found in for_all.items():
        for number, case in enumerate(found):
            payload = orjson.loads(case.data)
            wrong = schemas.breaches(version, action, "request", payload)
            message_id = f"{action}{number}"
            data = frame_of(action, case, message_id)
            if not expected_answers(version, data):
                continue
            answer = await client.ask(data)
            if wrong:
                assert answer[:4] == [4, message_id, wrong[0].code, wrong[0].message], case.name
            else:
                assert answer[0] == 3, (action, case.name, answer)
    assert station.identity == "S"


# ---- everything ------------------------------------------------------------------------------


@pytest.mark.campaign
@pytest.mark.timeout(600)
@pytest.mark.parametrize("strict", [False, True], ids=["lenient", "strict"])
@every_action
async def test_everything_that_can_be_wrong(
    start: Start, api: Api, version: OcppVersion, action: str, strict: bool
) -> None:
    await run(start, api, version, action, cases(version, action), strict=strict)


# ---- the corpus itself -----------------------------------------------------------------------


@pytest.mark.parametrize("version", list(OcppVersion), ids=lambda version: version.value)
def test_the_payloads_it_starts_from_are_valid(version: OcppVersion) -> None:
    for action in FROM_STATION[version]:
        for payload in (full(version, action), least(version, action)):
            assert schemas.breaches(version, action, "request", payload) == []


@pytest.mark.parametrize("version", list(OcppVersion), ids=lambda version: version.value)
def test_every_kind_of_flaw_is_in_it(version: OcppVersion) -> None:
    flaws = {"additionalProperties", "enum", "format", "maxLength", "minItems", "required", "type"}
    if version is not V16:
        flaws |= {"maxItems", "minimum"}
    for action in sorted(FROM_STATION[version], key=lambda one: len(repr(full(version, one)))):
        for case in payload_cases(version, action):
            payload = orjson.loads(case.data)
            found = schemas.breaches(version, action, "request", payload)
            flaws -= {one.keyword for one in found}
            if not flaws:
                return
    assert flaws == set()


def test_there_are_sixty_times_in_it() -> None:
    assert len(CORPUS) == 60
    assert NOW.hour == 12
