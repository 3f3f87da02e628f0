"""Prices: what charging at a location costs. Money is whole millionths of the currency."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from csms.domain.transactions import Transaction

MILLION = 10**6
# ISO 4217: currencies whose smallest unit is not a hundredth.
_COINS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"), MILLION),
    **dict.fromkeys(("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), MILLION),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), MILLION // 1000),
}
_CENT = MILLION // 100
_MWH_PER_KWH = 10**6
_MINUTE = timedelta(minutes=1)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Prices:
    """Taxes are in them."""

    currency: str
    per_kwh_micros: int
    per_minute_micros: int
    """Of the time from start to end, charging or not."""
    per_session_micros: int


@dataclass(frozen=True, slots=True)
class Cost:
    """What a transaction costs in all, in whole units of the currency's coins."""

    micros: int
    currency: str


def cost_of(transaction: Transaction, prices: Prices) -> Cost | None:
    """The cost of a transaction that is over; None when something that has a price is unknown."""
    total = Fraction(prices.per_session_micros)
    if prices.per_kwh_micros:
        energy_mwh = transaction.energy_mwh
        if energy_mwh is None:
            return None
        total += Fraction(prices.per_kwh_micros * energy_mwh, _MWH_PER_KWH)
    if prices.per_minute_micros:
        duration = _duration(transaction.started_at, transaction.ended_at)
        if duration is None:
            return None
        total += Fraction(
            prices.per_minute_micros * (duration // _MICROSECOND), _MINUTE // _MICROSECOND
        )
    return Cost(_rounded(total, prices.currency), prices.currency)


def _duration(began: datetime | None, ended: datetime | None) -> timedelta | None:
    return None if began is None or ended is None or ended < began else ended - began


def _rounded(micros: Fraction, currency: str) -> int:
    """To the nearest coin, halves up."""
    coin = _COINS.get(currency, _CENT)
    return int(micros / coin + Fraction(1, 2)) * coin
