"""Brands and models."""

from __future__ import annotations

import pytest

from csms.fleet.catalog import connector_type_of, current_type_of, load, slug_of
from csms.fleet.physics import CurrentType


@pytest.fixture(scope="module")
def catalog():
    return load()


def test_about_a_dozen_brands_the_generic_ones_first(catalog):
    slugs = list(catalog.brands)
    assert slugs[0] == "generic"
    assert 12 <= len(slugs) <= 20


def test_every_row_fits_a_boot_notification_of_1_6(catalog):
    for brand in catalog.brands.values():
        assert brand.models
        for model in brand.models:
            assert model.slug == slug_of(model.slug)
            assert 0 < len(model.vendor) <= 20
            assert 0 < len(model.model) <= 20
            assert model.connector_types == tuple(map(connector_type_of, model.connector_types))
            kinds = {current_type_of(kind) for kind in model.connector_types}
            assert kinds == {model.current_type}


def test_ids_are_the_same_everywhere_and_unique(catalog):
    ids = [m.id for b in catalog.brands.values() for m in b.models]
    ids += [b.id for b in catalog.brands.values()]
    assert len(ids) == len(set(ids))
    assert ids == [m.id for b in load().brands.values() for m in b.models] + [
        b.id for b in load().brands.values()
    ]


def test_a_listed_model_is_used_as_it_is(catalog):
    spec = catalog.spec(
        identity="A",
        url="ws://x",
        brand_slug="schneider",
        model_slug="evlink-pro-ac-22kw",
        connector_type="CCS2",
    )
    assert (spec.vendor, spec.model) == ("Schneider Electric", "EVlink Pro AC 22kW")
    assert spec.connector_type == "cCCS2"


@pytest.mark.parametrize(
    ("connector_type", "expected"), [("Type2", CurrentType.AC), ("CCS2", CurrentType.DC)]
)
def test_an_unknown_slug_is_a_generic_station_of_that_name(catalog, connector_type, expected):
    model = catalog.model("acme-energy", "super_box-9000", connector_type)
    assert (model.vendor, model.model) == ("Acme Energy", "Super Box 9000")
    assert model.current_type is expected
    assert model.slug == "super-box-9000"


def test_a_name_that_is_too_long_is_cut(catalog):
    model = catalog.model("x" * 60, "")
    assert len(model.vendor) == 20
    assert model.model == "Generic"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Type2", "cType2"),
        ("type 2", "cType2"),
        ("cType2", "cType2"),
        ("CCS2", "cCCS2"),
        ("cCCS2", "cCCS2"),
        ("CHAdeMO", "cG105"),
        ("Odd", "Odd"),
    ],
)
def test_spells_connector_types_as_ocpp_2_does(text, expected):
    assert connector_type_of(text) == expected
