"""The catalog of brands and models that comes with the package, read once."""

from __future__ import annotations

from functools import cache

from csms.domain.stations import Station
from csms.fleet.catalog import Brand, Catalog, Model, load, slug_of


@cache
def listed() -> Catalog:
    """Every brand that is listed; the files never change while we run."""
    return load()


def brand_of(station: Station) -> Brand | None:
    """The station's brand by its template, when it is listed."""
    return listed().brands.get(slug_of(station.brand_slug or ""))


def model_of(station: Station) -> Model | None:
    """The station's model by its template, when it is listed."""
    return listed().find(station.brand_slug or "", station.model_slug or "")


def vendor_name(station: Station) -> str | None:
    """What the station said of itself wins over what its template says."""
    brand = brand_of(station)
    return station.vendor or (brand.name if brand else station.brand_slug)


def model_name(station: Station) -> str | None:
    """What the station said of itself wins over what its template says."""
    model = model_of(station)
    return station.model or (model.name if model else station.model_slug)


def connectors_of(brand_slug: str | None, model_slug: str | None) -> int:
    """How many connectors the model has; one when it is not listed."""
    model = listed().find(brand_slug or "", model_slug or "")
    return 1 if model is None else model.connector_count
