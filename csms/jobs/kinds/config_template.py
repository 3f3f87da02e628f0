"""Kind `config_template`: stations get the values of a template, as far as they have others.

An item reads what the station holds, then writes what differs. So it may be run as often as
anybody likes, and a station that restarts whenever it is written to is not written to again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from csms.domain.config_templates import Progress, Setting
from csms.domain.jobs import ItemState, Job, JobItem, Lane, NewItem, Policy, Submission
from csms.domain.permissions import Principal
from csms.domain.templates import Template
from csms.domain.versions import OcppVersion
from csms.errors import Conflict, Invalid, NotSupportedByVersion
from csms.jobs import courses
from csms.jobs.kinds.command import CommandRunner
from csms.jobs.port import Done, Effect, Intent, NextStep, NotSent, Result
from csms.ocpp import commands
from csms.ocpp.commands.command import Order
from csms.ocpp.commands.variable_results import place_of, statuses, values
from csms.ocpp.frames import JsonObject
from csms.services import config_templates
from csms.services.redaction import redacted
from csms.store import job_items
from csms.store.database import ReadTx, Row, Tx

KIND = "config_template"
UNCHANGED = "Unchanged"
"""What is told of a value that the station had already."""
_READ, _WRITE = "read", "write"
_DIFFERING, _VERSION = "differing", "version"


def check(settings: Sequence[Setting]) -> None:
    """Raise Invalid, with the place in `settings`, for what no template may hold."""
    for version in OcppVersion:
        seen: set[object] = set()
        for place, one in enumerate(settings):
            if not one.is_for(version):
                continue
            try:
                commands.typed(version, "set_variables", _written([one]))
                name = place_of(one, version)
            except NotSupportedByVersion as error:
                raise Invalid(
                    f"{error.message}; ocpp_versions says which versions it is for",
                    loc=(place,),
                    code="not_for_every_version",
                ) from error
            except Invalid as error:  # a password, or names that do not go together
                raise Invalid(error.message, loc=(place,), code=error.code) from error
            if name in seen:
                raise Invalid("the same variable is there already", loc=(place,))
            seen.add(name)
        if seen:  # all together may be too much
            commands.typed(version, "set_variables", _written(_for(settings, version)))
    for place, one in enumerate(settings):
        if redacted(one.dumped()) != one.dumped():  # everybody who may read it would see it
            raise Invalid("a template holds no secrets", loc=(place,), code="secret_in_template")


def submission(
    *,
    principal: Principal,
    targets: Iterable[NewItem],
    template: Template,
    policy: Policy | None = None,
    lane: Lane = Lane.BULK,
) -> Submission:
    """A job that gives every target the template as it is now."""
    return Submission(
        kind=KIND,
        dialect="native",
        principal=principal.id,
        reach=principal.location_ids,
        params={
            "config_template_id": template.uuid,
            "name": template.name,
            "settings": template.content,
        },
        items=list(targets),
        lane=lane,
        policy=policy or Policy(),
    )


def calls(params: JsonObject, version: OcppVersion) -> list[Order]:
    """What a station of `version` is sent at most."""
    settings = _settings(params, version)
    if not settings:
        return []
    return [
        one
        for name, values_of in (("get_variables", _asked), ("set_variables", _written))
        for order in [commands.typed(version, name, values_of(settings))]
        for one in (order, *order.then)
    ]


class ConfigTemplateRunner(CommandRunner):
    """Runs the items: two commands one after the other, the second made by the first's answer."""

    name: str = KIND

    def keep(self, params: dict[str, Any]) -> dict[str, Any]:
        """There are no secrets among them."""
        return params

    async def run(
        self, job: Job, item: JobItem, intent: Intent | None, on_sent: Callable[[], None]
    ) -> Result:
        """Read, or write what differs."""
        assert intent is not None
        version = intent.version
        if version is None:
            return NotSent()
        settings = _settings(job.params, version)
        if not settings:
            return _done(job, item, settings, Done(ItemState.SUCCEEDED))
        if not _is_writing(item):
            reading = _order(job, "get_variables", _asked(settings))
            result = await super().run(reading, _within(item), intent, on_sent)
            return _after_reading(job, item, settings, version, result)
        if item.data[_VERSION] != version.value:
            told = "the station came back with another OCPP version in between"
            raise Conflict(told, code="partly_done")
        writing = _order(job, "set_variables", _written(_differing(item, settings)))
        result = await super().run(writing, _within(item), intent, on_sent)
        if isinstance(result, NextStep):
            return replace(result, step=f"{_WRITE} {result.step}")
        return _done(job, item, settings, result) if isinstance(result, Done) else result

    def repeatable(self, job: Job, item: JobItem) -> bool:
        """The same values can be written twice."""
        return True

    def read_late(
        self, tx: ReadTx, job: Job, item: JobItem, attempt: Row, answer: JsonObject
    ) -> Done | None:
        """The same reading as in time; nothing is over by what was read."""
        if not _is_writing(item):
            return None
        settings = _settings(job.params, OcppVersion(attempt["version"]))
        writing = _order(job, "set_variables", _written(_differing(item, settings)))
        done = super().read_late(tx, writing, _within(item), attempt, answer)
        return None if done is None else _done(job, item, settings, done)

    def evidence(self, tx: ReadTx, job: Job, item: JobItem, attempt: Row) -> Done | None:
        """Nothing shows what a station holds but its answers."""
        return None

    def discard(self, tx: Tx, job: Job, item: JobItem) -> int | None:
        """Not to the end: whoever waits for the template is told again after the next boot."""
        assert item.target is not None
        config_templates.settled(
            tx, item.target, job.id, Progress.PENDING, in_vain=item.attempt > 0
        )
        return item.target


def _settings(params: JsonObject, version: OcppVersion) -> list[Setting]:
    return _for([Setting(**one) for one in params["settings"]], version)


def _for(settings: Sequence[Setting], version: OcppVersion) -> list[Setting]:
    return [one for one in settings if one.is_for(version)]


def _differing(item: JobItem, settings: Sequence[Setting]) -> list[Setting]:
    return [settings[place] for place in item.data[_DIFFERING]]


def _asked(settings: Sequence[Setting]) -> JsonObject:
    return {"variables": [one.named() for one in settings]}


def _written(settings: Sequence[Setting]) -> JsonObject:
    return {"variables": [{**one.named(), "value": one.value} for one in settings]}


def _order(job: Job, command: str, params: JsonObject) -> Job:
    return replace(job, params={"command": command, "params": params})


def _is_writing(item: JobItem) -> bool:
    return item.step is not None and item.step.startswith(_WRITE)


def _within(item: JobItem) -> JobItem:
    """The item as its present command sees it: which of that command's CALLs is next."""
    _, _, number = (item.step or "").partition(" ")
    return item._replace(step=number or None)


def _after_reading(
    job: Job, item: JobItem, settings: Sequence[Setting], version: OcppVersion, result: Result
) -> Result:
    if isinstance(result, NextStep):
        return replace(result, step=f"{_READ} {result.step}")
    if not isinstance(result, Done):
        return result
    # Also of a station that refused to tell: it may be written to all the same.
    held = values(result.response or {})
    differing = [
        place
        for place, one in enumerate(settings)
        if not _is_same(held.get(place_of(one, version)), one.value)
    ]
    if not differing:
        return _done(job, item, settings, Done(ItemState.SUCCEEDED, effect=result.effect))
    data = {_VERSION: version.value, _DIFFERING: differing}
    return NextStep(_WRITE, effect=_going_on(item, data, result.effect))


def _going_on(item: JobItem, data: dict[str, Any], consequence: Effect | None) -> Effect:
    def effect(tx: Tx) -> None:
        kept = {name: value for name, value in item.data.items() if name != courses.DATA}
        job_items.update_data(tx, item, {**kept, **data})
        if consequence is not None:
            consequence(tx)

    return effect


def _is_same(held: str | None, wanted: str) -> bool:
    if held is None or held == wanted:
        return held is not None
    # Stations spell the two in their own way.
    return wanted.lower() in {"true", "false"} and held.strip().lower() == wanted.lower()


def _done(job: Job, item: JobItem, settings: Sequence[Setting], done: Done) -> Done:
    """The end of an item: a word for each setting, and what it means to who waits for it."""
    places = item.data[_DIFFERING] if _is_writing(item) else []
    written = [settings[place] for place in places]
    words = dict(
        zip(places, statuses(written, done.response or {}, done.response_status), strict=True)
    )
    results = [
        {**one.named(), "status": words.get(place, UNCHANGED)} for place, one in enumerate(settings)
    ]
    progress = Progress.APPLIED if done.state is ItemState.SUCCEEDED else Progress.REJECTED

    def effect(tx: Tx) -> None:
        assert item.target is not None
        if done.effect is not None:
            done.effect(tx)
        config_templates.settled(tx, item.target, job.id, progress)

    status = done.response_status if places else UNCHANGED
    return replace(done, response={"results": results}, response_status=status, effect=effect)
