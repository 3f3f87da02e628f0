"""Brands and models of charging stations, as virtual stations present themselves.

The rows are in `*.toml` beside this file, one file per brand. Anything that is not there is a
generic station under the name that was asked for.
"""

from __future__ import annotations

import re
import tomllib
import uuid
from dataclasses import dataclass
from importlib import resources
from typing import Any

from csms.domain.versions import OcppVersion
from csms.fleet.faults import Faults
from csms.fleet.physics import CurrentType, Supply
from csms.fleet.spec import StationSpec

_IDS = uuid.UUID("6f3c2f0e-6d1c-4f0b-9a39-0f4f4d1d6a10")
_GENERIC = "generic"


@dataclass(frozen=True, slots=True)
class Model:
    """One kind of station."""

    slug: str
    name: str
    brand_slug: str
    connector_count: int
    connector_types: tuple[str, ...]
    """Spelled as in OCPP 2.x, `cType2`."""
    current_type: CurrentType
    phases: int
    power_kw: float
    """The most that one connector gives."""
    vendor: str
    """As the station reports it in its boot; at most 20 characters."""
    model: str
    firmware: str

    @property
    def id(self) -> str:
        """The same in every installation."""
        return str(uuid.uuid5(_IDS, f"{self.brand_slug}/{self.slug}"))


@dataclass(frozen=True, slots=True)
class Brand:
    """A maker of stations."""

    slug: str
    name: str
    models: tuple[Model, ...]

    @property
    def id(self) -> str:
        """The same in every installation."""
        return str(uuid.uuid5(_IDS, self.slug))

    def find(self, slug: str) -> Model | None:
        """The brand's model of that slug."""
        return next((model for model in self.models if model.slug == slug), None)


class Catalog:
    """What `load` found."""

    def __init__(self, brands: dict[str, Brand]) -> None:
        self.brands = brands
        """By slug, in order of name; the generic ones first."""

    def find(self, brand_slug: str, model_slug: str) -> Model | None:
        """The model, when it is listed."""
        brand = self.brands.get(slug_of(brand_slug))
        return None if brand is None else brand.find(slug_of(model_slug))

    def model(self, brand_slug: str, model_slug: str, connector_type: str | None = None) -> Model:
        """The model, or a generic one under the names asked for."""
        found = self.find(brand_slug, model_slug)
        if found is not None:
            return found
        direct = connector_type is not None and current_type_of(connector_type) is CurrentType.DC
        generic = self.find(_GENERIC, "dc-50kw" if direct else "ac-22kw")
        assert generic is not None
        brand = self.brands.get(slug_of(brand_slug))
        return Model(
            slug=slug_of(model_slug),
            name=_title(model_slug),
            brand_slug=slug_of(brand_slug),
            connector_count=generic.connector_count,
            connector_types=generic.connector_types,
            current_type=generic.current_type,
            phases=generic.phases,
            power_kw=generic.power_kw,
            vendor=(brand.name if brand else _title(brand_slug))[:20],
            model=_title(model_slug)[:20],
            firmware=generic.firmware,
        )

    def spec(
        self,
        *,
        identity: str,
        url: str,
        brand_slug: str = _GENERIC,
        model_slug: str = "ac-22kw",
        connector_type: str | None = None,
        connectors: int | None = None,
        version: OcppVersion = OcppVersion.V16,
        password: bytes | None = None,
        seed: int = 0,
        faults: Faults | None = None,
        compression: bool = False,
        reboot_s: float = 1.0,
    ) -> StationSpec:
        """A virtual station of that model."""
        model = self.model(brand_slug, model_slug, connector_type)
        return StationSpec(
            identity=identity,
            url=url,
            version=version,
            password=password,
            vendor=model.vendor,
            model=model.model,
            firmware=model.firmware,
            connectors=model.connector_count if connectors is None else connectors,
            connector_type=connector_type_of(connector_type or model.connector_types[0]),
            supply=Supply(model.current_type, model.power_kw * 1000, model.phases),
            seed=seed,
            faults=faults or Faults(),
            compression=compression,
            reboot_s=reboot_s,
        )


def load() -> Catalog:
    """Read the rows that come with the package."""
    folder = resources.files(__name__)
    brands = [
        _brand(tomllib.loads(file.read_text("utf-8")))
        for file in folder.iterdir()
        if file.name.endswith(".toml")
    ]
    brands.sort(key=lambda brand: (brand.slug != _GENERIC, brand.name.casefold()))
    return Catalog({brand.slug: brand for brand in brands})


def _brand(row: dict[str, Any]) -> Brand:
    models = tuple(_model(row, model) for model in row["models"])
    return Brand(slug=row["slug"], name=row["name"], models=models)


def _model(brand: dict[str, Any], row: dict[str, Any]) -> Model:
    current_type = CurrentType(row["current_type"])
    return Model(
        slug=row["slug"],
        name=row["name"],
        brand_slug=brand["slug"],
        connector_count=row.get("connectors", 1),
        connector_types=tuple(row["connector_types"]),
        current_type=current_type,
        phases=row.get("phases", 3) if current_type is CurrentType.AC else 1,
        power_kw=float(row["power_kw"]),
        vendor=brand.get("vendor", brand["name"]),
        model=row.get("model", row["name"]),
        firmware=row["firmware"],
    )


def slug_of(text: str) -> str:
    """Lower case, words joined by hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _title(slug: str) -> str:
    words = re.split(r"[-_\s]+", slug.strip("-_ "))
    return " ".join(word[:1].upper() + word[1:] for word in words if word) or "Generic"


_CONNECTOR_TYPES = {
    "type1": "cType1",
    "j1772": "cType1",
    "type2": "cType2",
    "mennekes": "cType2",
    "iec62196": "cType2",
    "ccs": "cCCS2",
    "ccs1": "cCCS1",
    "combo1": "cCCS1",
    "ccs2": "cCCS2",
    "combo2": "cCCS2",
    "chademo": "cG105",
    "gbtdc": "cGBT",
    "gbt": "cGBT",
    "nacs": "cTesla",
    "tesla": "cTesla",
    "schuko": "s309-1P-16A",
}
_DIRECT = frozenset({"cCCS1", "cCCS2", "cG105", "cGBT"})


def connector_type_of(text: str) -> str:
    """OCPP 2.x's word for a connector type, however it was spelled; unknown ones stay."""
    plain = re.sub(r"[^a-z0-9]", "", text.lower())
    return _CONNECTOR_TYPES.get(plain) or _CONNECTOR_TYPES.get(plain.removeprefix("c")) or text


def current_type_of(connector_type: str) -> CurrentType:
    """What comes out of a connector of that type."""
    direct = connector_type_of(connector_type) in _DIRECT
    return CurrentType.DC if direct else CurrentType.AC
