"""What charging at a location costs: show, set, take away."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from csms.api.models import Shape, Strict
from csms.api.routing import Call, Reply
from csms.domain.locations import Location
from csms.domain.prices import MILLION, Prices
from csms.errors import NotFound
from csms.services import locations, prices
from csms.store import prices as store
from csms.store.database import ReadTx, Tx

_DECIMALS = "A decimal number as text, with at most six places, taxes included."
_Amount = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,6}(\.[0-9]{1,6})?$")]


class NewPrices(Strict):
    """What charging costs from now on."""

    currency: str = Field(pattern="^[A-Z]{3}$", description="ISO 4217.")
    per_kwh: _Amount = Field(default="0", description=_DECIMALS)
    per_minute: _Amount = Field(
        default="0", description="Of the time from start to end, charging or not."
    )
    per_session: _Amount = "0"

    def read(self) -> Prices:
        """As whole millionths."""
        return Prices(
            self.currency,
            _micros(self.per_kwh),
            _micros(self.per_minute),
            _micros(self.per_session),
        )


class PricesShape(Shape):
    """What charging costs now."""

    currency: str
    per_kwh: str
    per_minute: str
    per_session: str

    @classmethod
    def of(cls, held: Prices) -> PricesShape:
        """As they are shown."""
        return cls(
            currency=held.currency,
            per_kwh=_text(held.per_kwh_micros),
            per_minute=_text(held.per_minute_micros),
            per_session=_text(held.per_session_micros),
        )


async def show(call: Call[None, None]) -> Reply:
    """404 when none are set."""

    def look(tx: ReadTx) -> Prices | None:
        return store.find(tx, _location(call, tx).id)

    found = await call.deps.db.read(look)
    if found is None:
        raise NotFound("The location has no prices")
    return Reply(PricesShape.of(found))


async def change(call: Call[NewPrices, None]) -> Reply:
    """For transactions that begin from now on."""
    wanted = call.body.read()
    await call.deps.db.write(lambda tx: prices.change(tx, _location(call, tx), wanted))
    return Reply(PricesShape.of(wanted))


async def remove(call: Call[None, None]) -> Reply:
    """204, also when there were none."""

    def forget(tx: Tx) -> None:
        prices.change(tx, _location(call, tx), None)

    await call.deps.db.write(forget)
    return Reply(None, status=204)


def _location(call: Call[Any, None], tx: ReadTx) -> Location:
    return locations.get(tx, call.path["location_id"], call.principal)


def _micros(amount: str) -> int:
    return int(Decimal(amount) * MILLION)


def _text(micros: int) -> str:
    whole, part = divmod(micros, MILLION)
    return f"{whole}.{part:06}".rstrip("0").rstrip(".")
