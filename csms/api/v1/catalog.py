"""The catalog natively: brands and models that virtual stations can be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from pydantic import Field

from csms.api import catalog, cursors
from csms.api.models import Page, Shape
from csms.api.routing import Call, Reply
from csms.api.v1.shapes import cursor_page
from csms.errors import NotFound
from csms.fleet.catalog import Brand, Model
from csms.fleet.physics import CurrentType

T = TypeVar("T")


class BrandShape(Shape):
    """A maker of stations."""

    id: str = Field(description="The same in every installation.")
    slug: str
    name: str
    models: int


class BrandPage(Shape):
    """By name, the generic ones first."""

    items: list[BrandShape]
    next_cursor: str | None


class ModelShape(Shape):
    """One kind of station, as virtual ones present themselves."""

    id: str = Field(description="The same in every installation.")
    slug: str
    name: str
    brand_slug: str
    connectors: int
    connector_types: list[str] = Field(description="As OCPP 2.x spells them.")
    current_type: CurrentType
    phases: int
    power_w: int = Field(description="The most that one connector gives.")
    vendor: str
    model: str
    firmware_version: str


class ModelPage(Shape):
    """By brand, in its own order."""

    items: list[ModelShape]
    next_cursor: str | None


class ModelQuery(Page):
    """Whose models."""

    brand: str | None = Field(default=None, max_length=100, description="A slug.")


async def list_brands(call: Call[None, Page]) -> Reply:
    """All of them."""
    return _page(list(catalog.listed().brands.values()), call.query, _brand)


async def list_models(call: Call[None, ModelQuery]) -> Reply:
    """Of all brands, or of one."""
    brands = catalog.listed().brands
    slugs = brands if call.query.brand is None else [call.query.brand]
    if not brands.keys() >= set(slugs):
        raise NotFound("Brand not found")
    return _page([model for slug in slugs for model in brands[slug].models], call.query, _model)


def _page(listed: Sequence[T], page: Page, show: Callable[[T], Shape]) -> Reply:
    # The catalog never changes while we run, so a place in it is a good cursor.
    start = max(0, cursors.read(page.cursor) or 0)
    end = start + page.limit
    more = cursors.write(end) if end < len(listed) else None
    return Reply(cursor_page([show(one) for one in listed[start:end]], more))


def _brand(brand: Brand) -> BrandShape:
    return BrandShape(id=brand.id, slug=brand.slug, name=brand.name, models=len(brand.models))


def _model(model: Model) -> ModelShape:
    return ModelShape(
        id=model.id,
        slug=model.slug,
        name=model.name,
        brand_slug=model.brand_slug,
        connectors=model.connector_count,
        connector_types=list(model.connector_types),
        current_type=model.current_type,
        phases=model.phases,
        power_w=round(model.power_kw * 1000),
        vendor=model.vendor,
        model=model.model,
        firmware_version=model.firmware,
    )
