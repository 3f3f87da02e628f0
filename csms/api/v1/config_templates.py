"""Config templates natively: named sets of values that stations are given by jobs, or at a boot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, Field, field_validator

from csms.api import times
from csms.api.models import Page, Shape, never_null
from csms.api.routing import Call, Reply
from csms.api.v1.shapes import Instant
from csms.api.v1.templates import NewTemplate, TemplateChanges, TemplateResource
from csms.api.v1.variables import VariableValueBody
from csms.domain.config_templates import Setting
from csms.domain.templates import Template, TemplateKind
from csms.domain.versions import OcppVersion
from csms.errors import Invalid
from csms.jobs.kinds import config_template as kind


def _each_once(versions: list[OcppVersion]) -> list[OcppVersion]:
    if len(set(versions)) < len(versions):
        raise ValueError("a version is there twice")
    return versions


class TemplateVariable(VariableValueBody):
    """One variable and what it shall be."""

    ocpp_versions: (
        Annotated[
            list[Annotated[OcppVersion, Field(strict=False)]],
            Field(min_length=1),
            AfterValidator(_each_once),
        ]
        | None
    ) = Field(
        default=None,
        description="Only for stations that speak one of these. A variable or a key that some"
        " version does not have needs it.",
    )

    def read(self) -> Setting:
        """As a template has it."""
        return Setting(**self.model_dump(mode="json"))


_Variables = Annotated[
    list[TemplateVariable],
    Field(min_length=1, max_length=200, description="Written in this order; no passwords."),
]


class NewConfigTemplate(NewTemplate):
    """A name and a set of values."""

    variables: _Variables


class ConfigTemplateChanges(TemplateChanges):
    """What is left out stays as it is. Stations that were told already are not told again."""

    variables: _Variables | None = None

    _variables_are_there = field_validator("variables")(never_null)


class TemplateVariableShape(Shape):
    """One variable and what it shall be."""

    component: str = Field(description="`v16` holds the configuration keys of OCPP 1.6.")
    component_instance: str | None
    evse_id: int | None
    connector_id: int | None
    variable: str
    variable_instance: str | None
    attribute: str
    value: str
    ocpp_versions: list[OcppVersion] | None = Field(description="Null: every version.")


class ConfigTemplateShape(Shape):
    """A named set of values."""

    id: str
    name: str
    description: str | None
    variables: list[TemplateVariableShape]
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, template: Template) -> ConfigTemplateShape:
        """The template as it is shown."""
        return cls(
            id=template.uuid,
            name=template.name,
            description=template.description,
            variables=[_variable(Setting(**one)) for one in template.content],
            created_at=times.micros(template.created_at),
            updated_at=times.micros(template.updated_at),
        )


class ConfigTemplatePage(Shape):
    """In order of creation."""

    items: list[ConfigTemplateShape]
    next_cursor: str | None


async def create(call: Call[NewConfigTemplate, None]) -> Reply:
    """201; every variable is one that stations of its versions can be sent."""
    return await resource.create(call, _content(call.body.variables))


async def list_templates(call: Call[None, Page]) -> Reply:
    """All of them."""
    return await resource.list_page(call)


async def show(call: Call[None, None]) -> Reply:
    """One of them."""
    return await resource.show(call)


async def change(call: Call[ConfigTemplateChanges, None]) -> Reply:
    """For whoever is told from now on; jobs that were submitted keep what they had."""
    variables = call.body.variables
    return await resource.change(call, None if variables is None else _content(variables))


async def delete(call: Call[None, None]) -> Reply:
    """409 while stations are still to get it."""
    return await resource.delete(call)


def _content(variables: Sequence[TemplateVariable]) -> list[dict[str, Any]]:
    settings = [one.read() for one in variables]
    try:
        kind.check(settings)
    except Invalid as error:
        raise Invalid(error.message, loc=("variables", *error.loc), code=error.code) from error
    return [one.dumped() for one in settings]


def _variable(setting: Setting) -> TemplateVariableShape:
    versions = setting.ocpp_versions
    return TemplateVariableShape(
        component=setting.component,
        component_instance=setting.component_instance,
        evse_id=setting.evse_id,
        connector_id=setting.connector_id,
        variable=setting.variable,
        variable_instance=setting.variable_instance,
        attribute=setting.attribute,
        value=setting.value,
        ocpp_versions=None if versions is None else [OcppVersion(one) for one in versions],
    )


resource = TemplateResource(TemplateKind.CONFIG, "config-templates", ConfigTemplateShape.of)
