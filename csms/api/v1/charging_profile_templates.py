"""Charging profile templates natively: named profiles that jobs set at many stations."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, field_validator

from csms.api import times
from csms.api.models import Page, Shape, never_null
from csms.api.routing import Call, Reply
from csms.api.v1.shapes import Instant
from csms.api.v1.templates import NewTemplate, TemplateChanges, TemplateResource
from csms.domain.templates import Template, TemplateKind
from csms.jobs.kinds import charging_profile_template as kind

_Profile = Annotated[
    dict[str, Any],
    Field(description="As in the command `set_charging_profile`; no `TxProfile`."),
]


class NewChargingProfileTemplate(NewTemplate):
    """A name and a profile."""

    charging_profile: _Profile


class ChargingProfileTemplateChanges(TemplateChanges):
    """What is left out stays as it is; so does what stations have."""

    charging_profile: _Profile | None = None

    _profile_is_there = field_validator("charging_profile")(never_null)


class ChargingProfileTemplateShape(Shape):
    """A named profile."""

    id: str
    name: str
    description: str | None
    charging_profile: dict[str, Any]
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, template: Template) -> ChargingProfileTemplateShape:
        """The template as it is shown."""
        return cls(
            id=template.uuid,
            name=template.name,
            description=template.description,
            charging_profile=template.content,
            created_at=times.micros(template.created_at),
            updated_at=times.micros(template.updated_at),
        )


class ChargingProfileTemplatePage(Shape):
    """In order of creation."""

    items: list[ChargingProfileTemplateShape]
    next_cursor: str | None


async def create(call: Call[NewChargingProfileTemplate, None]) -> Reply:
    """201; the profile is one that stations of some version can be sent."""
    kind.check(call.body.charging_profile)
    return await resource.create(call, call.body.charging_profile)


async def list_templates(call: Call[None, Page]) -> Reply:
    """All of them."""
    return await resource.list_page(call)


async def show(call: Call[None, None]) -> Reply:
    """One of them."""
    return await resource.show(call)


async def change(call: Call[ChargingProfileTemplateChanges, None]) -> Reply:
    """For jobs that are submitted from now on."""
    profile = call.body.charging_profile
    if profile is not None:
        kind.check(profile)
    return await resource.change(call, profile)


async def delete(call: Call[None, None]) -> Reply:
    """204; what stations have stays."""
    return await resource.delete(call)


resource = TemplateResource(
    TemplateKind.CHARGING_PROFILE, "charging-profile-templates", ChargingProfileTemplateShape.of
)
