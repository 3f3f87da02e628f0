"""The catalog of the chargers dialect: brands and their models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from csms.api import catalog
from csms.api.chargers_dialect.pages import ChargersPage, page_body
from csms.api.models import Shape
from csms.api.routing import Call, Reply
from csms.errors import NotFound
from csms.fleet.catalog import Brand, Model


class ChargersBrand(Shape):
    """A brand."""

    id: str
    slug: str
    name: str
    image_url: str | None
    created_at: str | None


class ChargersBrandList(Shape):
    """A page of brands."""

    data: list[ChargersBrand]
    total: int
    page: int
    limit: int


class ChargersModel(Shape):
    """A model of a brand."""

    id: str
    slug: str
    name: str
    brand_slug: str
    brand_id: str
    image_url: str | None
    connector_count: int
    current_type: str
    supported_kwh: list[float]
    connector_types: list[str]
    created_at: str | None


class ChargersModelList(Shape):
    """A page of models."""

    data: list[ChargersModel]
    total: int
    page: int
    limit: int


async def list_brands(call: Call[None, ChargersPage]) -> Reply:
    """GET /ocpp/catalog/brands."""
    return _page([_brand_body(brand) for brand in catalog.listed().brands.values()], call.query)


async def list_models(call: Call[None, ChargersPage]) -> Reply:
    """GET /ocpp/catalog/brands/{brand_slug}/models."""
    brand = _brand(call)
    return _page([_model_body(brand, model) for model in brand.models], call.query)


async def show_model(call: Call[None, None]) -> Reply:
    """GET /ocpp/catalog/brands/{brand_slug}/models/{model_slug}."""
    brand = _brand(call)
    model = brand.find(call.path["model_slug"])
    if model is None:
        raise NotFound("Model not found")
    return Reply(_model_body(brand, model))


def _brand(call: Call[Any, Any]) -> Brand:
    brand = catalog.listed().brands.get(call.path["brand_slug"])
    if brand is None:
        raise NotFound("Brand not found")
    return brand


def _page(rows: Sequence[dict[str, Any]], page: ChargersPage) -> Reply:
    part = list(rows[page.offset : page.offset + page.limit])
    return Reply(page_body(part, len(rows), page))


def _brand_body(brand: Brand) -> dict[str, Any]:
    return {
        "id": brand.id,
        "slug": brand.slug,
        "name": brand.name,
        "image_url": None,
        "created_at": None,
    }


def _model_body(brand: Brand, model: Model) -> dict[str, Any]:
    return {
        "id": model.id,
        "slug": model.slug,
        "name": model.name,
        "brand_slug": brand.slug,
        "brand_id": brand.id,
        "image_url": None,
        "connector_count": model.connector_count,
        "current_type": model.current_type.value,
        "supported_kwh": [model.power_kw],
        "connector_types": [_connector_type(word) for word in model.connector_types],
        "created_at": None,
    }


def _connector_type(word: str) -> str:
    """The everyday name of OCPP's `cType2`."""
    return "CHAdeMO" if word == "cG105" else word.removeprefix("c")
