"""The catalog natively: what virtual stations can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.api.v1.scene import all_pages, items

if TYPE_CHECKING:
    from tests.api.conftest import Api

BRANDS, MODELS = "/api/v1/catalog/brands", "/api/v1/catalog/models"


async def test_brands_and_their_models_are_listed(api: Api):
    brands = await items(api, BRANDS, role="viewer")
    assert "generic" == brands[0]["slug"]
    models = await items(api, f"{MODELS}?limit=500", role="viewer")
    assert {brand["slug"]: brand["models"] for brand in brands} == {
        brand["slug"]: sum(model["brand_slug"] == brand["slug"] for model in models)
        for brand in brands
    }
    (model,) = [one for one in models if (one["brand_slug"], one["slug"]) == ("generic", "ac-22kw")]
    assert (22_000, "AC", 3, ["cType2"]) == (
        model["power_w"],
        model["current_type"],
        model["phases"],
        model["connector_types"],
    )


async def test_models_of_one_brand(api: Api):
    found = await items(api, f"{MODELS}?brand=keba")
    assert {"keba"} == {one["brand_slug"] for one in found}
    assert 404 == (await api.get(f"{MODELS}?brand=nobody")).status


async def test_pages_go_to_the_end(api: Api):
    whole = await items(api, f"{MODELS}?limit=500")
    assert whole == await all_pages(api, f"{MODELS}?limit=2")


@pytest.mark.parametrize("query", ["?limit=0", "?cursor=!", "?colour=red"])
async def test_what_makes_no_sense_is_refused(api: Api, query: str):
    for path in (BRANDS, MODELS):
        assert 422 == (await api.get(path + query)).status
