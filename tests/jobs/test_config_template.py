"""Config templates: what differs is written, and a station that restarts over it is left alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from csms.domain.config_templates import MOST_ROUNDS, Progress, Setting
from csms.domain.jobs import ItemState, JobState, NewItem, OfflinePolicy, Policy
from csms.domain.stations import BootReport, Registration, Station
from csms.domain.templates import TemplateKind
from csms.domain.versions import OcppVersion
from csms.errors import CallRefused, ConnectionLost, Invalid
from csms.jobs.configuring import Configuring
from csms.jobs.kinds import command, config_template
from csms.services import booting, config_templates, templates
from csms.services import stations as station_service
from csms.store import config_assignments as store
from csms.store import jobs, variables
from csms.store.columns import to_json

from .conftest import PRINCIPAL, Bench, Delivered

V16, V201 = OcppVersion.V16, OcppVersion.V201
HEARTBEAT = Setting(component="OCPPCommCtrlr", variable="HeartbeatInterval", value="300")
ENABLED = Setting(component="LocalAuthListCtrlr", variable="Enabled", value="true")
OWN_KEY = Setting(component="v16", variable="Brightness", value="7", ocpp_versions=["1.6"])
REBOOTED = ConnectionLost("lost")


@dataclass
class Configurable:
    """A station with values; keys of `words` are answered with these words."""

    held: dict[str, str] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    restarts: bool = False
    """Whenever it is written to, before it answers."""

    def __call__(self, call: Delivered) -> Any:
        return getattr(self, f"_{call.action}")(call.payload)

    def _GetConfiguration(self, payload: Any) -> Any:
        known = [key for key in payload["key"] if key in self.held]
        told = [{"key": key, "readonly": False, "value": self.held[key]} for key in known]
        unknown = [key for key in payload["key"] if key not in self.held]
        return {"configurationKey": told, "unknownKey": unknown}

    def _ChangeConfiguration(self, payload: Any) -> Any:
        word = self._write(payload["key"], payload["value"])
        return REBOOTED if self.restarts else {"status": word}

    def _GetVariables(self, payload: Any) -> Any:
        return {
            "getVariableResult": [
                {**one, "attributeStatus": "Accepted", "attributeValue": self.held[name]}
                if name in self.held
                else {**one, "attributeStatus": "UnknownVariable"}
                for one in payload["getVariableData"]
                for name in [one["variable"]["name"]]
            ]
        }

    def _SetVariables(self, payload: Any) -> Any:
        return {
            "setVariableResult": [
                {
                    "component": one["component"],
                    "variable": one["variable"],
                    "attributeStatus": self._write(one["variable"]["name"], one["attributeValue"]),
                }
                for one in payload["setVariableData"]
            ]
        }

    def _write(self, name: str, value: str) -> str:
        word = self.words.get(name, "Accepted")
        if word == "Accepted":
            self.held[name] = value
        return word


async def make(bench: Bench, *settings: Setting) -> Any:
    config_template.check(settings)
    return await bench.db.write(
        lambda tx: templates.create(
            tx,
            TemplateKind.CONFIG,
            name="Street",
            description=None,
            content=[one.dumped() for one in settings],
        )
    )


async def applied(bench: Bench, station: Station, *settings: Setting) -> Any:
    """The item of a job that tells the station."""
    template = await make(bench, *settings)
    order = config_template.submission(
        principal=PRINCIPAL, targets=[NewItem(station.uuid, station.id)], template=template
    )
    job = (await bench.engine.submit(order)).job
    return await bench.engine.settled(job.id, timeout_s=10)


def sent(bench: Bench) -> list[str]:
    return [call.action for call in bench.stations.calls]


def words(item: Any) -> list[tuple[str, str | None]]:
    return [(one["variable"], one["status"]) for one in item.response["results"]]


async def test_only_what_differs_is_written(bench: Bench) -> None:
    station = await bench.station("one")
    bench.stations.automatic = Configurable(
        {"HeartbeatInterval": "60", "LocalAuthListEnabled": "True"}
    )
    item = await applied(bench, station, HEARTBEAT, ENABLED, OWN_KEY)
    assert (ItemState.SUCCEEDED, "Accepted") == (item.state, item.response_status)
    written = [c.payload for c in bench.stations.calls if c.action == "ChangeConfiguration"]
    assert [
        {"key": "HeartbeatInterval", "value": "300"},
        {"key": "Brightness", "value": "7"},
    ] == written
    assert [
        ("HeartbeatInterval", "Accepted"),
        ("Enabled", "Unchanged"),
        ("Brightness", "Accepted"),
    ] == words(item)


async def test_nothing_is_written_to_a_station_that_has_it_all(bench: Bench) -> None:
    station = await bench.station("one")
    bench.stations.automatic = Configurable({"HeartbeatInterval": "300"})
    item = await applied(bench, station, HEARTBEAT)
    assert (ItemState.SUCCEEDED, "Unchanged") == (item.state, item.response_status)
    assert ["GetConfiguration"] == sent(bench)


async def test_2x_stations_get_what_is_for_them_with_a_word_for_each(bench: Bench) -> None:
    station = await bench.station("one", connect=False)
    bench.stations.versions[station.id] = V201
    bench.stations.connect(station.id)
    bench.stations.automatic = Configurable({"HeartbeatInterval": "60"}, {"Enabled": "Rejected"})
    item = await applied(bench, station, OWN_KEY, HEARTBEAT, ENABLED)
    assert (ItemState.REJECTED, "Rejected") == (item.state, item.response_status)
    assert ["GetVariables", "SetVariables"] == sent(bench)
    assert [("HeartbeatInterval", "Accepted"), ("Enabled", "Rejected")] == words(item)
    assert "300" == await bench.db.read(
        lambda tx: variables.find_value(
            tx,
            station.id,
            next(v.key for v in variables.list_of_station(tx, station.id)),
        )
    )


async def test_a_refused_key_stops_none_of_the_rest(bench: Bench) -> None:
    station = await bench.station("one")
    bench.stations.automatic = Configurable({}, {"HeartbeatInterval": "NotSupported"})
    item = await applied(bench, station, HEARTBEAT, OWN_KEY)
    assert (ItemState.REJECTED, "NotSupported") == (item.state, item.response_status)
    assert [("HeartbeatInterval", "NotSupported"), ("Brightness", "Accepted")] == words(item)


async def test_a_station_that_cannot_tell_what_it_holds_is_written_to(bench: Bench) -> None:
    station = await bench.station("one")
    answers = Configurable()
    bench.stations.automatic = lambda call: (
        CallRefused("NotImplemented") if call.action == "GetConfiguration" else answers(call)
    )
    item = await applied(bench, station, HEARTBEAT)
    assert (ItemState.SUCCEEDED, {"HeartbeatInterval": "300"}) == (item.state, answers.held)


async def test_nothing_for_the_version_is_nothing_to_do(bench: Bench) -> None:
    station = await bench.station("one", connect=False)
    bench.stations.versions[station.id] = V201
    bench.stations.connect(station.id)
    item = await applied(bench, station, OWN_KEY)
    assert (ItemState.SUCCEEDED, []) == (item.state, item.response["results"])
    assert [] == sent(bench)


async def test_a_crash_between_reading_and_writing_does_neither_twice(bench: Bench) -> None:
    station = await bench.station("one")
    held = Configurable({"HeartbeatInterval": "60"})
    bench.stations.automatic = lambda call: (
        held(call) if call.action == "GetConfiguration" else None
    )
    template = await make(bench, HEARTBEAT)
    order = config_template.submission(
        principal=PRINCIPAL, targets=[NewItem(station.uuid, station.id)], template=template
    )
    job = (await bench.engine.submit(order)).job
    await bench.stations.delivered(2)
    bench.grace[station.id] = bench.clock.now()
    await bench.crash()
    bench.stations.automatic = held
    bench.stations.connect(station.id)
    item = await bench.engine.settled(job.id, timeout_s=10)
    assert (ItemState.SUCCEEDED, "300") == (item.state, held.held["HeartbeatInterval"])
    assert ["GetConfiguration", "ChangeConfiguration", "ChangeConfiguration"] == sent(bench)


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ([HEARTBEAT, Setting(component="v16", variable="heartbeatinterval", value="1")], "invalid"),
        ([Setting(component="v16", variable="Brightness", value="1")], "not_for_every_version"),
        (
            [Setting(component="v16", variable="authorizationkey", value="1")],
            "use_credentials_rotate",
        ),
        (
            [Setting(component="SecurityCtrlr", variable="BasicAuthPassword", value="1")],
            "use_credentials_rotate",
        ),
        (
            [Setting(component="v16", variable="SimPin", value="1", ocpp_versions=["1.6"])],
            "secret_in_template",
        ),
        (
            [Setting(component="v16", variable="Ftp", value="ftp://u:p@h/", ocpp_versions=["1.6"])],
            "secret_in_template",
        ),
    ],
)
def test_no_template_holds(settings: list[Setting], code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        config_template.check(settings)
    assert (code, (len(settings) - 1,)) == (refusal.value.code, refusal.value.loc)


# ---- after a boot ----------------------------------------------------------------------------


@pytest.fixture
async def configuring(bench: Bench) -> AsyncIterator[None]:
    task = asyncio.create_task(Configuring(db=bench.db, bus=bench.bus, engine=bench.engine).run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def give(bench: Bench, station: Station, *settings: Setting) -> None:
    template = await make(bench, *settings)
    await bench.db.write(lambda tx: config_templates.assign(tx, station, template.uuid))


async def boot(bench: Bench, station: Station) -> None:
    report = BootReport("V", "M", None, None, None, "{}")
    bench.stations.drop(station.id)
    await bench.db.write(
        lambda tx: booting.record(tx, station.id, report, epoch=1, generation=1, triggered=False)
    )
    bench.stations.connect(station.id)


async def is_at(bench: Bench, station: Station, progress: Progress, rounds: int = 0) -> None:
    def reached(tx: Any) -> bool:
        found = store.find(tx, station.id)
        return (found.progress, found.rounds) == (progress, rounds)

    await bench.until(reached)


async def told(bench: Bench) -> list[str]:
    return await bench.db.read(
        lambda tx: [
            row[0]
            for row in tx.all("SELECT type FROM events WHERE type LIKE 'station.config_template%'")
        ]
    )


@pytest.mark.usefixtures("configuring")
async def test_a_station_is_told_once_after_the_boot_that_is_accepted(bench: Bench) -> None:
    station = await bench.station("one")
    bench.stations.automatic = Configurable()
    await give(bench, station, HEARTBEAT)
    held = await bench.db.write(
        lambda tx: station_service.update(tx, station, {"registration": Registration.PENDING})
    )
    await boot(bench, held)
    assert [] == sent(bench)
    await bench.db.write(
        lambda tx: station_service.update(tx, held, {"registration": Registration.ACCEPTED})
    )
    await boot(bench, station)
    await is_at(bench, station, Progress.APPLIED)
    await boot(bench, station)
    assert ["GetConfiguration", "ChangeConfiguration"] == sent(bench)
    assert [
        "station.config_template_given",
        "station.config_template_due",
        "station.config_template_applied",
    ] == await told(bench)


@pytest.mark.usefixtures("configuring")
async def test_what_is_refused_is_not_tried_again(bench: Bench) -> None:
    station = await bench.station("one")
    bench.stations.automatic = Configurable({}, {"HeartbeatInterval": "Rejected"})
    await give(bench, station, HEARTBEAT)
    await boot(bench, station)
    await is_at(bench, station, Progress.REJECTED)
    await boot(bench, station)
    assert 1 == sent(bench).count("ChangeConfiguration")


@pytest.mark.usefixtures("configuring")
async def test_a_restart_in_the_middle_is_gone_on_from_after_the_next_boot(bench: Bench) -> None:
    station = await bench.station("one")
    bench.stations.automatic = one = Configurable(restarts=True)
    await give(bench, station, HEARTBEAT, OWN_KEY)
    await boot(bench, station)
    await is_at(bench, station, Progress.PENDING, 1)
    one.restarts = False
    await boot(bench, station)
    await is_at(bench, station, Progress.APPLIED, 1)
    written = [c.payload["key"] for c in bench.stations.calls if c.action == "ChangeConfiguration"]
    assert ["HeartbeatInterval", "Brightness"] == written


@pytest.mark.usefixtures("configuring")
async def test_a_station_that_restarts_after_every_round_is_left_alone(bench: Bench) -> None:
    station = await bench.station("one")
    bench.stations.automatic = one = Configurable(restarts=True)
    await give(bench, station, HEARTBEAT)
    for number in range(1, MOST_ROUNDS + 1):
        one.held.clear()  # it forgets what it was told
        await boot(bench, station)
        await is_at(
            bench,
            station,
            Progress.STOPPED if number == MOST_ROUNDS else Progress.PENDING,
            number,
        )
    await boot(bench, station)
    assert MOST_ROUNDS == sent(bench).count("ChangeConfiguration")
    assert "station.config_template_stopped" == (await told(bench))[-1]
    alert = await bench.log.wait_for("alert.raised")
    assert ("config_template_stopped", "Street") == (alert.data["source"], alert.data["name"])
    one.restarts = False  # a new beginning is a person's
    template = (await bench.db.read(lambda tx: store.find(tx, station.id))).template_uuid
    await bench.db.write(lambda tx: config_templates.assign(tx, station, template))
    await boot(bench, station)
    await is_at(bench, station, Progress.APPLIED)


async def test_a_boot_before_a_crash_is_not_forgotten(bench: Bench) -> None:
    station = await bench.station("one")
    bench.stations.automatic = Configurable()
    await give(bench, station, HEARTBEAT)
    await boot(bench, station)
    await bench.crash()
    bench.grace[station.id] = bench.clock.now()
    bench.stations.connect(station.id)
    task = asyncio.create_task(Configuring(db=bench.db, bus=bench.bus, engine=bench.engine).run())
    await is_at(bench, station, Progress.APPLIED)
    task.cancel()


@pytest.mark.usefixtures("configuring")
async def test_a_cancelled_round_begins_again_with_the_next_boot(bench: Bench) -> None:
    station = await bench.station("one")
    bench.stations.automatic = Configurable()
    await give(bench, station, HEARTBEAT)
    bench.stations.patience_s = 600
    await bench.db.write(lambda tx: store.update_booted(tx, station.id))
    bench.stations.drop(station.id)  # so its job waits
    await bench.db.write(lambda tx: config_templates.booted(tx, station.id, Registration.ACCEPTED))
    await is_at(bench, station, Progress.RUNNING)
    running = await bench.db.read(lambda tx: jobs.get(tx, store.find(tx, station.id).job_id))
    cancelled = await bench.engine.cancel(running)
    assert JobState.CANCELLED is cancelled.state
    await boot(bench, station)
    await is_at(bench, station, Progress.APPLIED)


@pytest.mark.usefixtures("configuring")
async def test_a_station_whose_round_was_cancelled_is_shown_as_one_that_waits(
    bench: Bench,
) -> None:
    station = await bench.station("one", connect=False)
    await give(bench, station, HEARTBEAT)
    bench.grace[station.id] = bench.clock.now()
    await bench.db.write(lambda tx: config_templates.booted(tx, station.id, Registration.ACCEPTED))
    await is_at(bench, station, Progress.RUNNING)
    running = await bench.db.read(lambda tx: jobs.get(tx, store.find(tx, station.id).job_id))
    await bench.engine.cancel(running)
    await is_at(bench, station, Progress.PENDING)


# ---- what cannot be begun --------------------------------------------------------------------


async def test_one_that_found_no_room_is_told_when_there_is_some(bench: Bench) -> None:
    bench.settings = replace(bench.settings, max_open_items=1)
    await bench.restart()
    away = await bench.station("away", connect=False)
    waits = Policy(offline=OfflinePolicy.WAIT)
    wanted = command.Wanted(command="clear_cache", params={})
    order = command.submission(
        principal=PRINCIPAL,
        wanted=wanted,
        targets=[NewItem(away.uuid, away.id)],
        dialect="native",
        policy=waits,
    )
    filling = (await bench.engine.submit(order)).job
    station = await bench.station("one")
    bench.stations.automatic = Configurable()
    await give(bench, station, HEARTBEAT)
    configuring = Configuring(db=bench.db, bus=bench.bus, engine=bench.engine, retry_s=0.001)
    with capture_logs() as logs:
        task = asyncio.create_task(configuring.run())
        await boot(bench, station)
        while not logs:  # noqa: ASYNC110 - there is no event of what was not done
            await asyncio.sleep(0)
        await bench.engine.cancel(filling)
        await is_at(bench, station, Progress.APPLIED)
    assert {"queue_full"} == {entry["reason"] for entry in logs}
    task.cancel()


async def test_one_that_fails_is_gone_past_and_tried_again(bench: Bench) -> None:
    first, second = await bench.station("one"), await bench.station("two")
    bench.stations.automatic = Configurable()
    await give(bench, first, HEARTBEAT)
    await bench.db.write(lambda tx: tx.run("UPDATE templates SET name = 'Broken', content = '?'"))
    await give(bench, second, OWN_KEY)
    for station in (first, second):
        await boot(bench, station)
    configuring = Configuring(db=bench.db, bus=bench.bus, engine=bench.engine, retry_s=0.001)
    task = asyncio.create_task(configuring.run())
    await is_at(bench, second, Progress.APPLIED)
    await is_at(bench, first, Progress.PENDING)
    content = to_json([HEARTBEAT.dumped()])
    mend = "UPDATE templates SET content = ? WHERE name = 'Broken'"
    await bench.db.write(lambda tx: tx.run(mend, (content,)))
    await is_at(bench, first, Progress.APPLIED)
    task.cancel()
