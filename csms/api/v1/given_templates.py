"""The config template that a station was given, where other resources tell or choose it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from csms.api import times
from csms.api.auth import require
from csms.api.models import Shape
from csms.api.v1.shapes import Instant
from csms.domain.config_templates import Assignment, Progress
from csms.domain.permissions import Principal, Scope
from csms.domain.stations import Station
from csms.errors import Forbidden, Invalid, NotFound
from csms.services import config_templates
from csms.store.database import Tx

TemplateId = Annotated[str, StringConstraints(max_length=100)]


class GivenTemplate(Shape):
    """The template that a station was given, and how far it is with it."""

    id: str
    name: str
    progress: Progress = Field(
        description="`pending`: after its next accepted boot; `running`: a job tells it; `applied`;"
        " `rejected`: it refused a part; `stopped`: it restarted too often over it."
    )
    rounds: int = Field(description="Boots after which it was told in vain.")
    changed_at: Instant

    @classmethod
    def of(cls, given: Assignment | None) -> GivenTemplate | None:
        """As it is shown."""
        if given is None:
            return None
        return cls(
            id=given.template_uuid,
            name=given.template_name,
            progress=given.progress,
            rounds=given.rounds,
            changed_at=times.micros(given.changed_at),
        )


def require_unbound(principal: Principal) -> None:
    """Templates belong to no location; raises Forbidden."""
    if principal.location_ids is not None:
        raise Forbidden("A token bound to locations has no templates")


def require_commands(principal: Principal, *, gives: bool) -> None:
    """Giving a station a template sends it commands; raises Forbidden."""
    if gives:
        require_unbound(principal)
        require(principal, Scope.COMMANDS_SEND)


def give(tx: Tx, station: Station, template_id: str | None) -> None:
    """Tell it the template after its next accepted boot; raises Invalid when there is none."""
    try:
        config_templates.assign(tx, station, template_id)
    except NotFound as error:
        told = "there is no such config template"
        raise Invalid(told, loc=("config_template",)) from error
