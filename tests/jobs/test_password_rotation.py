"""A password told over OCPP: valid before it can arrive, alone once it was taken."""

from __future__ import annotations

import pytest

from csms.domain.credentials import Verdict
from csms.domain.jobs import ItemState, OfflinePolicy, Policy
from csms.domain.versions import OcppVersion
from csms.errors import CallRefused
from csms.events import LateAnswer
from csms.jobs.kinds import password_rotation
from csms.services import password_rotation as offers
from csms.services.credentials import Passwords
from tests.door import verify

from .conftest import PRINCIPAL, Bench, Delivered

OK, BAD = Verdict.OK, Verdict.BAD
DAY_S = 24 * 3600


@pytest.fixture
def passwords(bench: Bench) -> Passwords:
    return Passwords(bench.db, b"i" * 32)


def told(call: Delivered) -> bytes:
    """The password in a CALL."""
    if call.action == "ChangeConfiguration":
        assert call.payload["key"] == "AuthorizationKey"
        return bytes.fromhex(call.payload["value"])
    (item,) = call.payload["setVariableData"]
    assert item["component"] == {"name": "SecurityCtrlr"}
    assert item["variable"] == {"name": "BasicAuthPassword"}
    return item["attributeValue"].encode()


def answer(call: Delivered, word: str) -> dict:
    if call.action == "ChangeConfiguration":
        return {"status": word}
    (item,) = call.payload["setVariableData"]
    names = {name: item[name] for name in ("component", "variable")}
    return {"setVariableResult": [{"attributeStatus": word, **names}]}


async def begin(bench, passwords, version=OcppVersion.V16, **policy):
    """(station, its old password, the job)."""
    station = await bench.station("rotates")
    bench.stations.versions[station.id] = version
    old = await bench.db.write(lambda tx: passwords.rotate(tx, station.id))
    submitted = await bench.engine.submit(
        password_rotation.submission(
            principal=PRINCIPAL, targets=[station], policy=Policy(**policy)
        )
    )
    return station, old.encode(), submitted.job


async def verdicts(passwords, station, *presented) -> list[Verdict]:
    """Without using any: a look at what each would get."""
    found = []
    for password in presented:
        stored = await passwords._db.read(
            lambda tx: tx.all("SELECT * FROM credentials WHERE station_id = ?", (station.id,))
        )
        found.append(await verify(passwords, station.id, password))
        if found[-1] is OK:
            await passwords._db.write(lambda tx, rows=stored: restore(tx, station, rows))
    return found


def restore(tx, station, rows) -> None:
    tx.run("DELETE FROM credentials WHERE station_id = ?", (station.id,))
    for row in rows:
        places = ", ".join("?" * len(row))
        tx.run(f"INSERT INTO credentials VALUES ({places})", tuple(row))


@pytest.mark.parametrize("version", list(OcppVersion))
async def test_both_are_valid_on_the_way_and_the_new_one_alone_once_accepted(
    bench, passwords, version
):
    station, old, job = await begin(bench, passwords, version)
    (call,) = await bench.stations.delivered(1)
    new = told(call)
    assert 16 <= len(new) <= 20
    assert [OK, OK] == await verdicts(passwords, station, old, new)
    call.answer.set_result(answer(call, "Accepted"))
    item = await bench.engine.settled(job.id, timeout_s=10)
    assert (ItemState.SUCCEEDED, "Accepted") == (item.state, item.response_status)
    assert [BAD, OK] == await verdicts(passwords, station, old, new)


@pytest.mark.parametrize("word", ["Rejected", "NotSupported"])
@pytest.mark.parametrize("version", [OcppVersion.V16, OcppVersion.V201])
async def test_a_station_that_declines_keeps_the_old_one(bench, passwords, version, word):
    station, old, job = await begin(bench, passwords, version)
    (call,) = await bench.stations.delivered(1)
    call.answer.set_result(answer(call, word))
    item = await bench.engine.settled(job.id, timeout_s=10)
    assert (ItemState.REJECTED, word) == (item.state, item.response_status)
    assert [OK, BAD] == await verdicts(passwords, station, old, told(call))


async def test_a_callerror_declines_as_well(bench, passwords):
    station, old, job = await begin(bench, passwords)
    (call,) = await bench.stations.delivered(1)
    call.answer.set_exception(CallRefused("NotImplemented", ""))
    assert ItemState.ERROR is (await bench.engine.settled(job.id, timeout_s=10)).state
    assert [OK, BAD] == await verdicts(passwords, station, old, told(call))


async def test_after_reboot_required_the_first_use_of_the_new_one_ends_the_old(bench, passwords):
    station, old, job = await begin(bench, passwords)
    (call,) = await bench.stations.delivered(1)
    call.answer.set_result(answer(call, "RebootRequired"))
    assert ItemState.SUCCEEDED is (await bench.engine.settled(job.id, timeout_s=10)).state
    assert await verify(passwords, station.id, old) is OK
    assert await verify(passwords, station.id, told(call)) is OK
    assert await verify(passwords, station.id, old) is BAD


async def test_without_an_answer_both_are_valid_until_the_new_one_is_used(bench, passwords):
    station, old, job = await begin(bench, passwords, max_attempts=1)
    (call,) = await bench.stations.delivered(1)
    bench.stations.time_out(call)
    item = await bench.engine.settled(job.id, timeout_s=10)
    assert (ItemState.ERROR, "timeout") == (item.state, item.code)
    event = await bench.log.wait_for("station.credentials_uncertain")
    assert event.station_id == station.id
    assert [OK, OK] == await verdicts(passwords, station, old, told(call))
    assert await verify(passwords, station.id, told(call)) is OK
    assert await verify(passwords, station.id, old) is BAD


async def test_a_day_later_a_station_with_the_old_one_has_not_taken_the_new(bench, passwords):
    station, old, job = await begin(bench, passwords, max_attempts=1)
    (call,) = await bench.stations.delivered(1)
    bench.stations.time_out(call)
    await bench.engine.settled(job.id, timeout_s=10)
    bench.clock.advance(DAY_S - 60)
    assert await verify(passwords, station.id, old) is OK
    assert [OK] == await verdicts(passwords, station, told(call))
    bench.clock.advance(120)
    assert await verify(passwords, station.id, old) is OK
    assert await verify(passwords, station.id, told(call)) is BAD


async def test_a_station_that_was_away_for_days_comes_in_with_either(bench, passwords):
    station, old, job = await begin(bench, passwords, max_attempts=1)
    (call,) = await bench.stations.delivered(1)
    bench.stations.time_out(call)
    await bench.engine.settled(job.id, timeout_s=10)
    bench.clock.advance(30 * DAY_S)
    assert [OK, OK] == await verdicts(passwords, station, old, told(call))


async def test_a_lost_answer_is_made_good_by_a_connection_with_the_new_one(bench, passwords):
    station, old, job = await begin(bench, passwords)
    (call,) = await bench.stations.delivered(1)
    bench.stations.drop(station.id)
    await bench.until(lambda tx: tx.value("SELECT attempts_used FROM job_items") == 1)
    assert await verify(passwords, station.id, told(call)) is OK
    bench.stations.connect(station.id)
    bench.advance(300)
    item = await bench.engine.settled(job.id, timeout_s=10)
    assert (ItemState.SUCCEEDED, "evidence") == (item.state, item.code)
    assert len(bench.stations.calls) == 1
    assert await verify(passwords, station.id, old) is BAD


async def test_a_repeat_tells_the_same_password(bench, passwords):
    _, _, job = await begin(bench, passwords)
    (first,) = await bench.stations.delivered(1)
    bench.stations.time_out(first)
    await bench.until(lambda tx: tx.value("SELECT attempts_used FROM job_items") == 1)
    bench.advance(300)
    second = (await bench.stations.delivered(2))[-1]
    assert told(first) == told(second)
    second.answer.set_result(answer(second, "Accepted"))
    assert ItemState.SUCCEEDED is (await bench.engine.settled(job.id, timeout_s=10)).state


async def test_every_rotation_tells_another_password(bench, passwords):
    station, _, job = await begin(bench, passwords)
    bench.stations.automatic = lambda call: answer(call, "Rejected")
    (first,) = await bench.stations.delivered(1)
    first.answer.set_result(answer(first, "Rejected"))
    await bench.engine.settled(job.id, timeout_s=10)
    for number in (2, 3):
        submission = password_rotation.submission(
            principal=PRINCIPAL, targets=[station], policy=Policy()
        )
        submitted = await bench.engine.submit(submission)
        await bench.engine.settled(submitted.job.id, timeout_s=10)
        assert number == len({told(call) for call in bench.stations.calls})


async def test_a_server_killed_before_the_answer_lets_both_in_and_tells_again(bench, passwords):
    station, old, job = await begin(bench, passwords, offline=OfflinePolicy.WAIT)
    (call,) = await bench.stations.delivered(1)
    await bench.crash()
    assert [OK, OK] == await verdicts(passwords, station, old, told(call))
    bench.stations.connect(station.id)
    again = (await bench.stations.delivered(2))[-1]
    assert told(call) == told(again)
    again.answer.set_result(answer(again, "Accepted"))
    assert ItemState.SUCCEEDED is (await bench.engine.settled(job.id, timeout_s=10)).state
    assert [BAD, OK] == await verdicts(passwords, station, old, told(call))


async def test_a_server_killed_after_the_station_took_it_finds_that_out(bench, passwords):
    station, old, job = await begin(bench, passwords, offline=OfflinePolicy.WAIT)
    (call,) = await bench.stations.delivered(1)
    await bench.crash()
    assert await verify(passwords, station.id, told(call)) is OK
    bench.stations.connect(station.id)
    item = await bench.engine.settled(job.id, timeout_s=10)
    assert (ItemState.SUCCEEDED, "evidence") == (item.state, item.code)
    assert await verify(passwords, station.id, old) is BAD


async def test_a_server_killed_after_the_answer_was_journaled_knows_the_new_one(bench, passwords):
    station, old, job = await begin(bench, passwords)
    (call,) = await bench.stations.delivered(1)
    call.answer.set_result(answer(call, "Accepted"))
    await bench.engine.settled(job.id, timeout_s=10)
    await bench.crash()
    assert [BAD, OK] == await verdicts(passwords, station, old, told(call))


async def test_what_was_never_sent_leaves_nothing_behind(bench, passwords):
    station = await bench.station("rotates", connect=False)
    old = await bench.db.write(lambda tx: passwords.rotate(tx, station.id))
    submission = password_rotation.submission(
        principal=PRINCIPAL,
        targets=[station],
        policy=Policy(offline=OfflinePolicy.REPORT),
    )
    submitted = await bench.engine.submit(submission)
    item = await bench.engine.settled(submitted.job.id, timeout_s=10)
    assert ItemState.OFFLINE is item.state
    assert [OK] == await verdicts(passwords, station, old.encode())
    assert 1 == await bench.db.read(lambda tx: tx.value("SELECT count(*) FROM credentials"))


async def test_each_of_many_stations_gets_its_own(bench, passwords):
    stations = [await bench.station(f"S-{number}") for number in range(5)]
    bench.stations.automatic = lambda call: answer(call, "Accepted")
    submission = password_rotation.submission(
        principal=PRINCIPAL, targets=stations, policy=Policy()
    )
    await bench.engine.submit(submission)
    await bench.log.wait_for("job.done")
    assert 5 == len({told(call) for call in bench.stations.calls})


async def test_nothing_on_disk_reveals_what_was_told(bench, passwords):
    _, _, job = await begin(bench, passwords)
    (call,) = await bench.stations.delivered(1)
    call.answer.set_result(answer(call, "Accepted"))
    await bench.engine.settled(job.id, timeout_s=10)
    files = [path for path in bench.db.path.parent.iterdir() if path.name.startswith("csms")]
    content = b"".join(path.read_bytes() for path in files).lower()
    assert told(call).lower() not in content
    assert told(call).hex().encode() not in content


async def test_a_virtual_station_is_told_like_any_other(bench, passwords):
    station = await bench.station("V")
    await bench.db.write(
        lambda tx: tx.run("UPDATE stations SET virtual = 1 WHERE id = ?", (station.id,))
    )
    submission = password_rotation.submission(
        principal=PRINCIPAL, targets=[station], policy=Policy()
    )
    submitted = await bench.engine.submit(submission)
    (call,) = await bench.stations.delivered(1)
    first = passwords.derived(station.id, 1).encode()
    assert await verify(passwords, station.id, first, virtual=True) is OK
    call.answer.set_result(answer(call, "Accepted"))
    await bench.engine.settled(submitted.job.id, timeout_s=10)
    assert await verify(passwords, station.id, first, virtual=True) is BAD
    assert await verify(passwords, station.id, told(call), virtual=True) is OK


async def everything(bench) -> str:
    """All that the database says."""

    def dump(tx):
        tables = tx.all("SELECT name FROM sqlite_schema WHERE type = 'table'")
        rows = [row for table in tables for row in tx.all(f'SELECT * FROM "{table["name"]}"')]
        return str([tuple(row) for row in rows])

    return (await bench.db.read(dump)).lower()


@pytest.mark.parametrize("version", list(OcppVersion))
@pytest.mark.parametrize("late", [False, True])
async def test_an_answer_that_echoes_the_password_is_kept_without_it(
    bench, passwords, version, late
):
    _, _, job = await begin(bench, passwords, version, max_attempts=1)
    (call,) = await bench.stations.delivered(1)
    echo = {**answer(call, "Accepted"), "plain": told(call).decode(), "hex": told(call).hex()}
    if late:
        bench.stations.time_out(call)
        await bench.engine.settled(job.id, timeout_s=10)
        bench.bus.publish(LateAnswer(call.station_id, call.message_id, echo, None))
        await bench.until(lambda tx: tx.value("SELECT late_response FROM job_attempts"))
    else:
        call.answer.set_result(echo)
        await bench.engine.settled(job.id, timeout_s=10)
    content = await everything(bench)
    assert "***" in content
    assert told(call).decode().lower() not in content
    assert told(call).hex() not in content


async def test_a_callerror_that_quotes_the_password_is_kept_without_it(bench, passwords):
    _, _, job = await begin(bench, passwords, OcppVersion.V201)
    (call,) = await bench.stations.delivered(1)
    secret = told(call).decode()
    call.answer.set_exception(CallRefused("PropertyConstraintViolation", f"bad value {secret}"))
    item = await bench.engine.settled(job.id, timeout_s=10)
    assert "PropertyConstraintViolation: bad value ***" == item.message
    assert secret.lower() not in await everything(bench)


async def test_an_acceptance_after_the_job_is_over_ends_the_old_one(bench, passwords):
    station, old, job = await begin(bench, passwords, OcppVersion.V201, max_attempts=1)
    (call,) = await bench.stations.delivered(1)
    bench.stations.time_out(call)
    await bench.engine.settled(job.id, timeout_s=10)
    bench.bus.publish(LateAnswer(station.id, call.message_id, answer(call, "Accepted"), None))
    await bench.log.wait_for("station.credentials_rotated")
    assert [BAD, OK] == await verdicts(passwords, station, old, told(call))


async def test_an_acceptance_older_than_another_offer_leaves_both_valid(bench, passwords):
    station, old, job = await begin(bench, passwords, OcppVersion.V201, max_attempts=1)
    (call,) = await bench.stations.delivered(1)
    bench.stations.time_out(call)
    await bench.engine.settled(job.id, timeout_s=10)
    await bench.db.write(lambda tx: offers.offer(tx, station.id, 7))
    bench.bus.publish(LateAnswer(station.id, call.message_id, answer(call, "Accepted"), None))
    await bench.until(lambda tx: tx.value("SELECT late_response FROM job_attempts"))
    newer = passwords.derived(station.id, 7).encode()
    assert [OK, OK, OK] == await verdicts(passwords, station, old, told(call), newer)


async def test_an_explicit_retry_tells_another_password(bench, passwords):
    station, old, job = await begin(bench, passwords)
    (first,) = await bench.stations.delivered(1)
    first.answer.set_exception(CallRefused("NotImplemented", ""))
    await bench.engine.settled(job.id, timeout_s=10)
    await bench.engine.retry(job)
    second = (await bench.stations.delivered(2))[-1]
    assert told(first) != told(second)
    second.answer.set_result(answer(second, "Accepted"))
    await bench.log.wait_for("station.credentials_rotated")
    assert [BAD, BAD, OK] == await verdicts(passwords, station, old, told(first), told(second))
