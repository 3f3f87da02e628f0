"""The catalog of the chargers dialect."""

from __future__ import annotations

from csms.api.chargers_dialect.catalog import (
    ChargersBrandList,
    ChargersModel,
    ChargersModelList,
)
from tests.api.live import Live

BRANDS = "/ocpp/catalog/brands"


async def test_brands_and_their_models_are_listed(live: Live) -> None:
    brands = await live.ok("GET", f"{BRANDS}?limit=2&page=2", role="viewer")
    ChargersBrandList.model_validate(brands)
    assert (len(brands["data"]), brands["page"]) == (2, 2)

    models = await live.ok("GET", f"{BRANDS}/schneider/models")
    ChargersModelList.model_validate(models)
    model = await live.ok("GET", f"{BRANDS}/schneider/models/evlink-pro-ac-22kw")
    ChargersModel.model_validate(model)
    assert model in models["data"]
    assert (
        model["current_type"],
        model["supported_kwh"],
        model["connector_types"],
    ) == ("AC", [22], ["Type2"])


async def test_an_unknown_brand_or_model_is_not_found(live: Live) -> None:
    brand = await live.ok("GET", f"{BRANDS}/nobody/models", 404)
    model = await live.ok("GET", f"{BRANDS}/schneider/models/nothing", 404)

    assert [brand["detail"], model["detail"]] == ["Brand not found", "Model not found"]
